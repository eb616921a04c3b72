package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"eegprune/models"
	"eegprune/torch"
)

// Set by the linker: the version and the commit the program was built from.
var release, source = "unreleased", ""

func version() string { return release }

// commit is the whole hash of the program's source, with "-dirty" where that was changed;
// empty where it is not known.
func commit() string {
	if source != "" {
		return source
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	of := map[string]string{}
	for _, s := range info.Settings {
		of[s.Key] = s.Value
	}
	if of["vcs.modified"] == "true" {
		return of["vcs.revision"] + "-dirty"
	}
	return of["vcs.revision"]
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  eegprune version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			goVersion := runtime.Version()
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]string{"version": version(), "go": goVersion, "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(a.stdout, "eegprune %s (%s, %s/%s)\n", version(), goVersion, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// A finding is one line of doctor.
type finding struct {
	What string `json:"what"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that libtorch and the devices can be used, and say what to do if not",
		Example: `  eegprune doctor
  eegprune doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			findings := diagnose()
			if a.json {
				if err := json.NewEncoder(a.stdout).Encode(findings); err != nil {
					return err
				}
			}
			sick := 0
			for _, f := range findings {
				mark := "ok  "
				if !f.OK {
					mark = "BAD "
					sick++
				}
				if !a.json {
					fmt.Fprintf(a.stdout, "%s%-10s %s\n", mark, f.What, f.Says)
				}
			}
			if sick > 0 {
				return fmt.Errorf("%d of %d checks failed; each says what to do", sick, len(findings))
			}
			return nil
		},
	}
}

func diagnose() []finding {
	b, err := torch.Version()
	if err != nil {
		return []finding{{What: "libtorch", Says: err.Error()}}
	}
	f := []finding{{"shim", true, b.Shim}, {"libtorch", true, b.Torch}}
	f = append(f, diagnoseGPU(b)...)
	if err := forwardOnce(); err != nil {
		return append(f, finding{"network", false, err.Error()})
	}
	threads, err := torch.NumThreads()
	if err != nil {
		return append(f, finding{"threads", false, err.Error()})
	}
	own, err := torch.OwnConvolutions()
	if err != nil {
		return append(f, finding{"training", false, err.Error()})
	}
	whose := "eegprune's, with the bits of libtorch's"
	if !own {
		whose = "libtorch's, since this one takes its sums in an order that eegprune does not know"
	}
	return append(f, finding{"network", true, "a forward pass of FBCCNN gives numbers"},
		finding{"training", true, "convolutions on the CPU are " + whose},
		finding{"threads", true, fmt.Sprintf("%d cores, libtorch would use %d threads for one operation", runtime.NumCPU(), threads)})
}

func diagnoseGPU(b torch.Build) []finding {
	if b.CUDA == "" {
		return []finding{{"GPU", true, "none is used: the shim was built for the CPU; with an NVIDIA driver installed, run `make clean-libtorch build`"}}
	}
	n, err := torch.CUDADevices()
	if err != nil || n == 0 {
		return []finding{{"GPU", true, fmt.Sprintf("none: the shim was built for CUDA %s, but the driver shows no device (see nvidia-smi)", b.CUDA)}}
	}
	var f []finding
	for i := range n {
		g, err := torch.DescribeGPU(i)
		if err != nil {
			f = append(f, finding{"GPU", false, err.Error()})
			continue
		}
		f = append(f, finding{"GPU", true, fmt.Sprintf("cuda:%d is %s, %.1f of %.1f GiB free, CUDA %s", i, g.Name, float64(g.Free)/(1<<30), float64(g.Total)/(1<<30), b.CUDA)})
	}
	return f
}

// forwardOnce computes something, since a library that loads may still not work on this
// processor.
func forwardOnce() error {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		return err
	}
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		return err
	}
	defer g.Free()
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		return err
	}
	defer n.Free()
	x, err := torch.Full(0.5, torch.Float32, torch.CPU, 1, 4, 9, 9)
	if err != nil {
		return err
	}
	defer x.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Forward(s, x, models.Pass{})
	return s.Err()
}
