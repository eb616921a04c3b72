//go:build !linux || !cgo

package meter

type nvml struct{}

func openNVML(cuda, library string) *nvml { return nil }

func (*nvml) gauge(int) *gauge { return nil }

func (*nvml) close() {}
