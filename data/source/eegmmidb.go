package source

import "github.com/eegprune/eegprune/internal/cite"

// eegmmidb is the EEG Motor Movement/Imagery Dataset, PhysioNet eegmmidb 1.0.0. To learn a
// movement instead, write the manifest as eegprune.yaml, let files choose the runs, with the run
// as session: R(?<session>03|07|11) for the left or right fist, and take the label from
// annotations: {T1: left fist, T2: right fist}. The channels left out have no place on the 9x9
// grid.
func eegmmidb() dataset {
	return dataset{cite: cite.Paper{
		Key:     "schalk2004",
		Authors: []string{"Schalk, Gerwin", "McFarland, Dennis J.", "Hinterberger, Thilo", "Birbaumer, Niels", "Wolpaw, Jonathan R."},
		Title:   "BCI2000: a general-purpose brain-computer interface (BCI) system",
		Journal: "IEEE Transactions on Biomedical Engineering", Year: 2004, Volume: "51", Number: "6", Pages: "1034--1043", DOI: "10.1109/TBME.2004.827072",
	}, whole: census{subjects: counted("%03d", 1, 109)}, manifest: `
name: eegmmidb
about: eyes open against eyes closed (runs 1 and 2 of PhysioNet eegmmidb); not an emotion label, and each run is cut into trials of 10 s, which follow one another in one recording
format: edf
files: '(^|/)S(?<subject>\d{3})R(?<run>0[12])\.edf$'
label:
  group: run
  classes: {"01": eyes open, "02": eyes closed}
channels: {exclude: [T9, T10, Iz]}
trials: {seconds: 10}
`}
}
