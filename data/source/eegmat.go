package source

import "github.com/eegprune/eegprune/internal/cite"

// eegmat is EEG During Mental Arithmetic Tasks, PhysioNet eegmat 1.0.0.
func eegmat() dataset {
	return dataset{cite: cite.Paper{
		Key:     "zyma2019",
		Authors: []string{"Zyma, Igor", "Tukaev, Sergii", "Seleznov, Ivan", "Kiyono, Ken", "Popov, Anton", "Chernykh, Mariia", "Shpenkov, Oleksii"},
		Title:   "Electroencephalograms during Mental Arithmetic Task Performance",
		Journal: "Data", Year: 2019, Volume: "4", Number: "1", Pages: "14", DOI: "10.3390/data4010014",
	}, whole: census{counted("%02d", 0, 35), 0, 2}, manifest: `
name: eegmat
about: rest against mental arithmetic, one file each for every subject (PhysioNet eegmat); not an emotion label, and rest always comes first, so that slow drift goes with the class
format: edf
files: '(^|/)Subject(?<subject>\d+)_(?<trial>[12])\.edf$'
label:
  group: trial
  classes: {"1": rest, "2": arithmetic}
`}
}
