package source

import "testing"

func TestMicrovolts(t *testing.T) {
	for name, want := range map[string]float64{
		"uV": 1, "UV": 1, "µV": 1, "μV": 1, "\xb5V": 1, "\xe6V": 1, "\xa6\xccV": 1, "\x83\xcaV": 1, "ÂµV": 1, "microvolt": 1, "uVolts": 1, "MicroVolts": 1, " uV ": 1, "u V": 1,
		"V": 1e6, "v": 1e6, "Volt": 1e6, "Volts": 1e6, "mV": 1e3, "mVolt": 1e3, "millivolts": 1e3, "nV": 1e-3, "nanovolt": 1e-3, "kV": 1e9, "pV": 1e-6,
	} {
		if got, kind := microvolts(name); got != want || kind != voltage {
			t.Errorf("%q is %g microvolts, %d; want %g", name, got, kind, want)
		}
	}
	for name, want := range map[string]quantity{"": unreadable, ".V": unreadable, "?V": unreadable, "\xef\xbf\xbdV": unreadable, "uW": unreadable, "V/s": unreadable,
		"%": noVoltage, "bpm": noVoltage, "mmHg": noVoltage, "degC": noVoltage, "kOhm": noVoltage, "Hz": noVoltage, "Boolean": noVoltage} {
		if got, kind := microvolts(name); got != 1 || kind != want {
			t.Errorf("%q is %g, %d; want 1, %d", name, got, kind, want)
		}
	}
}
