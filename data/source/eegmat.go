package source

// eegmat is EEG During Mental Arithmetic Tasks, PhysioNet eegmat 1.0.0.
func eegmat() dataset {
	return dataset{manifest: `
name: eegmat
about: rest against mental arithmetic, one file each for every subject (PhysioNet eegmat); not an emotion label, and rest always comes first, so that slow drift goes with the class
format: edf
files: '(^|/)Subject(?<subject>\d+)_(?<trial>[12])\.edf$'
label:
  group: trial
  classes: {"1": rest, "2": arithmetic}
`}
}
