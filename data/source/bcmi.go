package source

import "github.com/eegprune/eegprune/internal/cite"

// The data sets of Reading's brain-computer music interface (Daly et al., Scientific Data 2020,
// 7:177) whose tables of events say which affect the music was to call up: OpenNeuro's ds002723
// and ds002724. Codes and the names of classes are those of their events.json: low, neutral or high
// valence, then arousal.
func bcmi(accession, about, classes string) dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "daly2020",
			Authors: []string{"Daly, Ian", "Nicolaou, Nicoletta", "Williams, Duncan", "Hwang, Faustina", "Kirke, Alexis", "Miranda, Eduardo", "Nasuto, Slawomir J."},
			Title:   "Neural and physiological data from participants listening to affective music",
			Journal: "Scientific Data", Year: 2020, Volume: "7", Pages: "177", DOI: "10.1038/s41597-020-0507-6",
		},
		accession: accession,
		manifest: `
name: ` + accession + `
about: ` + about + `; each target is a trial of 20 s, where the tables have 21 s and so a second of the next, and the electrodes below the grid of networks (FT9, FT10, TP9, TP10) are left out
format: bids
channels: {exclude: [FT9, FT10, TP9, TP10]}
label:
  column: trial_type
  seconds: 20
  classes: {` + classes + `}
`,
	}
}

func ds002723() dataset {
	return bcmi("ds002723", "music made to call up an affect while the interface steers it, with no target of neutral valence and high arousal",
		`"1": LVLA, "2": NVLA, "3": HVLA, "4": LVNA, "5": NVNA, "6": HVNA, "7": LVHA, "9": HVHA`)
}

func ds002724() dataset {
	return bcmi("ds002724", "music made to call up two affects, one after the other, in up to three sessions",
		`"1": LVLA, "2": NVLA, "3": HVLA, "4": LVNA, "5": NVNA, "6": HVNA, "7": LVHA, "8": NVHA, "9": HVHA`)
}

// ds002721 is the one of film music, whose tables say the excerpt and the answers to eight
// questions, but no affect: it has no labels without a manifest.
func ds002721() dataset {
	return dataset{
		cite:      ds002723().cite,
		accession: "ds002721",
		manifest: `
name: ds002721
about: 'excerpts of film music of 20 s, each begun by a code in trial_type that is 300 and the number of the excerpt, so that label.column with classes such as {"362": sad} in an eegprune.yaml makes classes of them (task: [run2, run3, run4, run5]; runs 1 and 6 are rest); what was felt is in codes too (questions 800 to 807, answers 901 to 909, responses 833 to 841), of which answers and responses differ, and is not read'
format: bids
`,
	}
}
