package cite

import "testing"

func TestBibTeX(t *testing.T) {
	for _, c := range []struct {
		paper Paper
		want  string
	}{
		{Paper{Key: "a2019", Authors: []string{"A, B", "C, D"}, Title: "EEG", Journal: "J", Year: 2019, Volume: "1", Pages: "2--3", DOI: "10.1/x_y"},
			"@article{a2019,\n  author    = {A, B and C, D},\n  title     = {{EEG}},\n  journal   = {J},\n  year      = {2019},\n" +
				"  volume    = {1},\n  pages     = {2--3},\n  doi       = {10.1/x_y},\n}\n"},
		{Paper{Key: "b", Authors: []string{"B"}, Title: "T", Book: "P"},
			"@inproceedings{b,\n  author    = {B},\n  title     = {{T}},\n  booktitle = {P},\n}\n"},
		{Paper{Key: "c", Authors: []string{"C"}, Title: "T", ArXiv: "1.2"},
			"@misc{c,\n  author    = {C},\n  title     = {{T}},\n  eprint    = {1.2},\n  eprinttype = {arXiv},\n}\n"},
	} {
		if got := c.paper.BibTeX(); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}
