package simulate

import (
	"fmt"
	"io"
	"strings"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/source"
)

// bidsFormat is a BIDS data set of EDF files with tables of events: trial_type is the class,
// stim_file the film, and valence a rating that goes with neither.
func bidsFormat() fileFormat {
	f := fileFormat{name: "bids", gap: 2, subject: numbered("%02d", 1), subjects: 99}
	f.files = func(c Config, s int, made *session) []file {
		return bidsRecording(c, f.subject(s), "emotion", made, func() []string {
			rate := c.rater(s)
			lines := []string{"onset\tduration\ttrial_type\tstim_file\tvalence"}
			for i, t := range made.trials {
				lines = append(lines, fmt.Sprintf("%g\t%g\t%s\tfilm%02d.mp4\t%g", float64(t.start)/c.Rate, float64(t.length)/c.Rate, c.Classes[t.class], i+1, rate.between(1, 9)))
			}
			return lines
		})
	}
	f.together = func(_ Config, made []*session) []file { return bidsTables(f, made, "") }
	f.own = func(c Config) *source.Manifest {
		m := &source.Manifest{Format: "bids"}
		m.Label.Column = "trial_type"
		for _, class := range c.Classes {
			m.Label.Classes = append(m.Label.Classes, source.ClassRule{Label: class, Class: class})
		}
		return m
	}
	return f
}

// bcmiFormat is one of OpenNeuro's sets of affective music, whose tables of events have a code for
// each class, and give trials of 20 s a second
// more. The sets' own have 1000 samples a second.
func bcmiFormat(accession, codes, classes string) fileFormat {
	f := fileFormat{name: accession, gap: 2, subject: numbered("%02d", 1), subjects: 99, mute: true, seconds: 20, classes: strings.Fields(classes), rate: 250,
		electrodes: strings.Fields("Fp1 Fpz Fp2 F7 F3 Fz F4 F8 FC5 FC1 FC2 FC6 T7 C3 Cz C4 T8 CP5 CP1 CP2 CP6 P7 P3 Pz P4 P8 O1 O2")}
	f.files = func(c Config, s int, made *session) []file {
		return bidsRecording(c, f.subject(s), "run1", made, func() []string {
			lines := []string{"onset\tduration\ttrial_type"}
			for _, t := range made.trials {
				lines = append(lines, fmt.Sprintf("%g\t21\t%c", float64(t.start)/c.Rate, codes[t.class]))
			}
			return lines
		})
	}
	f.together = func(_ Config, made []*session) []file {
		return bidsTables(f, made, `, "DatasetDOI": "10.18112/openneuro.`+accession+`.v1.1.0"`)
	}
	return f
}

func ds002723Format() fileFormat {
	return bcmiFormat("ds002723", "12345679", "LVLA NVLA HVLA LVNA NVNA HVNA LVHA HVHA")
}

func ds002724Format() fileFormat {
	return bcmiFormat("ds002724", "123456789", "LVLA NVLA HVLA LVNA NVNA HVNA LVHA NVHA HVHA")
}

// bidsRecording are the files of one recording. Its table of events is made where it is written.
func bidsRecording(c Config, subject, task string, made *session, events func() []string) []file {
	stem := fmt.Sprintf("sub-%s/eeg/sub-%s_task-%s_", subject, subject, task)
	return []file{
		{stem + "eeg.edf", func(w io.Writer) error {
			h := edfHeader(c, made)
			h.Patient, h.Recording, h.Plus = "X X X X", "Startdate X X X X", false
			return edf.Write(w, h, made.signals, nil)
		}},
		{stem + "events.tsv", func(w io.Writer) error { return writeLines(w, events()) }},
		{stem + "channels.tsv", func(w io.Writer) error {
			lines := []string{"name\ttype\tunits"}
			for _, e := range c.Electrodes {
				lines = append(lines, e+"\tEEG\tuV")
			}
			return writeLines(w, lines)
		}},
		{stem + "eeg.json", func(w io.Writer) error {
			return writeLines(w, []string{fmt.Sprintf(`{"TaskName": %q, "SamplingFrequency": %g, "PowerLineFrequency": %g, "EEGReference": "n/a", "SoftwareFilters": "n/a"}`, task, c.Rate, c.LineHz)})
		}},
	}
}

// bidsTables are the files of a BIDS data set that are of all subjects. said is more of its description.
func bidsTables(f fileFormat, made []*session, said string) []file {
	return []file{
		{"dataset_description.json", func(w io.Writer) error {
			return writeLines(w, []string{`{"Name": "simulated", "BIDSVersion": "1.8.0", "DatasetType": "raw"` + said + `}`})
		}},
		{"participants.tsv", func(w io.Writer) error {
			lines := []string{"participant_id"}
			for s := range made {
				lines = append(lines, "sub-"+f.subject(s))
			}
			return writeLines(w, lines)
		}},
	}
}

func writeLines(w io.Writer, lines []string) error {
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
