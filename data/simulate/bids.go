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
	name := numbered("%02d", 1)
	return fileFormat{name: "bids", gap: 2, subject: name, subjects: 99,
		files: func(c Config, s int, made *session) []file {
			stem := fmt.Sprintf("sub-%s/eeg/sub-%s_task-emotion_", name(s), name(s))
			return []file{
				{stem + "eeg.edf", func(w io.Writer) error {
					h := edfHeader(c, made)
					h.Patient, h.Recording, h.Plus = "X X X X", "Startdate X X X X", false
					return edf.Write(w, h, made.signals, nil)
				}},
				{stem + "events.tsv", func(w io.Writer) error {
					rate := c.rater(s)
					lines := []string{"onset\tduration\ttrial_type\tstim_file\tvalence"}
					for i, t := range made.trials {
						lines = append(lines, fmt.Sprintf("%g\t%g\t%s\tfilm%02d.mp4\t%g", float64(t.start)/c.Rate, float64(t.length)/c.Rate, c.Classes[t.class], i+1, rate.between(1, 9)))
					}
					return writeLines(w, lines)
				}},
				{stem + "channels.tsv", func(w io.Writer) error {
					lines := []string{"name\ttype\tunits"}
					for _, e := range c.Electrodes {
						lines = append(lines, e+"\tEEG\tuV")
					}
					return writeLines(w, lines)
				}},
				{stem + "eeg.json", func(w io.Writer) error {
					return writeLines(w, []string{fmt.Sprintf(`{"TaskName": "emotion", "SamplingFrequency": %g, "PowerLineFrequency": %g, "EEGReference": "n/a", "SoftwareFilters": "n/a"}`, c.Rate, c.LineHz)})
				}},
			}
		},
		together: func(c Config, made []*session) []file {
			return []file{
				{"dataset_description.json", func(w io.Writer) error {
					return writeLines(w, []string{`{"Name": "simulated", "BIDSVersion": "1.8.0", "DatasetType": "raw"}`})
				}},
				{"participants.tsv", func(w io.Writer) error {
					lines := []string{"participant_id"}
					for s := range made {
						lines = append(lines, "sub-"+name(s))
					}
					return writeLines(w, lines)
				}},
			}
		},
		own: func(c Config) *source.Manifest {
			m := &source.Manifest{Format: "bids"}
			m.Label.Column = "trial_type"
			for _, class := range c.Classes {
				m.Label.Classes = append(m.Label.Classes, source.ClassRule{Label: class, Class: class})
			}
			return m
		}}
}

func writeLines(w io.Writer, lines []string) error {
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
