package main

// A page is a Markdown file and its page in the site.
type page struct {
	file  string // below the root
	html  string // below the site
	title string // in the menu
}

// A part is a part of the menu.
type part struct {
	title string
	pages []page
}

// menu returns the pages of the site in the order of its menu. Every Markdown file below docs/ is
// one of them.
func menu() []part {
	return []part{
		{"", []page{
			{"docs/start.md", "index.html", "Start"},
			{"docs/install.md", "install.html", "Install"},
			{"docs/recordings.md", "recordings.html", "Recordings"},
			{"docs/datasets.md", "datasets.html", "Data sets"},
			{"docs/networks.md", "networks.html", "Networks"},
			{"docs/pruning.md", "pruning.html", "Pruning"},
			{"docs/statistics.md", "statistics.html", "Statistics"},
			{"docs/cluster.md", "cluster.html", "GPU and cluster"},
			{"docs/performance.md", "speed.html", "Speed"},
			{"docs/formats.md", "formats.html", "Formats"},
			{"docs/questions.md", "questions.html", "Questions"},
		}},
		{"More", []page{
			{"docs/comparison/README.md", "comparison/index.html", "Comparison"},
			{"docs/comparison/simulated-deap.md", "comparison/simulated-deap.html", "Simulated DEAP"},
			{"docs/comparison/eegmat.md", "comparison/eegmat.html", "eegmat"},
			{"docs/filters.md", "filters.html", "Band filters"},
			{"docs/architecture.md", "architecture.html", "Architecture"},
			{"CONTRIBUTING.md", "contributing.html", "Contributing"},
			{"SECURITY.md", "security.html", "Security"},
			{"CHANGELOG.md", "changes.html", "Changes"},
		}},
	}
}
