package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/internal/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check libtorch and the devices, and say what mends them",
		Example: `  eegprune doctor
  eegprune doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := doctor.Diagnose(cmd.Context())
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
