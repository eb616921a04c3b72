package main_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/cite"
)

func TestCite(t *testing.T) {
	dir := t.TempDir()
	out := must(t, dir, "cite", "--method", "lfp,nsfp", "--model", "deep4net,shallowconvnet", "--dataset", "deap").stdout
	keys := regexp.MustCompile(`(?m)^@\w+\{(\w+),$`).FindAllStringSubmatch(out, -1)
	var got []string
	for _, k := range keys {
		got = append(got, k[1])
	}
	if want := []string{"li2017", "liu2017", "schirrmeister2017", "koelstra2012"}; !slices.Equal(got, want) {
		t.Errorf("cites %v, want %v, the networks' common paper once", got, want)
	}
	if !strings.Contains(out, "{10.1109/T-AFFC.2011.15}") {
		t.Errorf("no DOI:\n%s", out)
	}
	var papers []cite.Paper
	if err := json.Unmarshal([]byte(must(t, dir, "cite", "--json").stdout), &papers); err != nil || len(papers) != 1 || papers[0].Key != "rao" {
		t.Errorf("cite --json: %v, %+v", err, papers)
	}
	for _, args := range [][]string{{"--method", "lpf"}, {"--model", "x"}, {"--dataset", "x"}} {
		r := eegprune(t, dir, append([]string{"cite"}, args...)...)
		if r.code != 2 || !strings.Contains(r.stderr, "use one of") {
			t.Errorf("cite %v: exit code %d, %q", args, r.code, r.stderr)
		}
	}
}
