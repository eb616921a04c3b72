package source

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"golang.org/x/text/unicode/norm"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/strictyaml"
)

// ManifestName is the file in a data directory that says how to read it.
const ManifestName = "eegprune.yaml"

// A Manifest says which files of a directory are recordings, what their names
// mean, and where the label of each is found. It is written in YAML:
//
//	format: edf
//	files: '(^|/)sub-(?<subject>\d+)_task-(?<task>\w+)\.edf$'
//	label:
//	  group: task
//	  classes: {rest: rest, sad: negative, happy: positive}
//
// or, where the label is an annotation in the file,
//
//	label:
//	  annotations: true
//	  classes: {T1: left fist, T2: right fist}
type Manifest struct {
	Name  string `yaml:"name,omitempty"`
	About string `yaml:"about,omitempty"` // shown with the results

	// Format is the kind of the files, one of [Formats].
	Format string `yaml:"format"`
	// Files is a regular expression for the path of a file below the directory, with slashes. Its
	// group subject is required. Groups session, trial (a number), stimulus (one name for all
	// subjects) and part (of a trial in several files) may be there; others can hold the label. A
	// BIDS data set needs none: see [github.com/eegprune/eegprune/data/bids.Pattern].
	Files string `yaml:"files,omitempty"`
	// Task chooses the recordings of a BIDS data set by their tasks: one or a list.
	Task OneOrMore `yaml:"task,omitempty"`
	// Label can be missing where recordings are only looked at or converted.
	Label    LabelRule   `yaml:"label,omitempty"`
	Channels ChannelRule `yaml:"channels,omitempty"`
	Trim     TrimRule    `yaml:"trim,omitempty"`
	Trials   TrialRule   `yaml:"trials,omitempty"`

	// Encoding is that of texts in the files which isn't UTF-8: "latin1", "gbk",
	// "shift_jis". Without it they are taken for Latin-1.
	Encoding string `yaml:"encoding,omitempty"`
	// Montage is a file that says where channels lie, below the manifest's directory if
	// it isn't absolute; see [montage.ReadFile].
	Montage string `yaml:"montage,omitempty"`

	// Signal describes the signals of files without a header.
	Signal SignalRule `yaml:"signal,omitempty"`

	files *regexp.Regexp
	also  []string // channels that are read beside those of EEG, where they are there
	// beside holds the tables of a BIDS data set for the one file that is read by this manifest, nil
	// without such.
	beside *sidecar
}

// OneOrMore is a text or a list of them.
type OneOrMore []string

// UnmarshalYAML reads either.
func (o *OneOrMore) UnmarshalYAML(n ast.Node) error {
	if _, scalar := n.(ast.ScalarNode); scalar {
		*o = OneOrMore{n.GetToken().Value}
		return nil
	}
	return strictyaml.Decode(n, (*[]string)(o))
}

// A LabelRule says where the class of a recording is found.
type LabelRule struct {
	// Group is the group of Manifest.Files that holds the label.
	Group string `yaml:"group,omitempty"`
	// Column makes each event of a BIDS data set whose value in this column of its
	// events.tsv is among Classes a recording of that class, as long as the event, or
	// Seconds where that is given. Without Classes, all values are classes.
	Column string `yaml:"column,omitempty"`
	// Threshold makes two classes of a column of ratings, instead of Classes, and Tie is the class of
	// a rating that equals it: see [label.Binary].
	Threshold *float64 `yaml:"threshold,omitempty" json:",omitempty"`
	Tie       string   `yaml:"tie,omitempty" json:",omitempty"`
	// Stimulus is the column of events.tsv that names the trial's stimulus; by default stim_file,
	// where there is one.
	Stimulus string `yaml:"stimulus,omitempty" json:",omitempty"`
	// Participant is the column of a BIDS data set's participants.tsv that holds the label
	// of a subject. Without Classes, all values are classes.
	Participant string `yaml:"participant,omitempty"`
	// Annotations makes each annotation whose text is among Classes a recording
	// of that class, as long as the annotation, or Seconds where that is given.
	Annotations bool    `yaml:"annotations,omitempty"`
	Seconds     float64 `yaml:"seconds,omitempty"`
	// Array is the name of the array in an .npz or MAT file that holds a number or a word
	// for each trial. Classes lists them as they are written: "1", "-1". In a MAT file it
	// can be the path of a field: "EEG.label".
	Array string `yaml:"array,omitempty"`
	// Classes gives the class of each label. Labels that aren't listed are left
	// out, and are named unless Ignore has them. Blanks and Unicode's forms of one
	// character make no difference; the case of letters does.
	Classes Classes `yaml:"classes,omitempty"`
	// Ignore lists labels that are left out without a word.
	Ignore []string `yaml:"ignore,omitempty"`
	// Transforms make the class of labels that are in the files themselves,
	// unless the options of features say otherwise.
	Transforms label.Pipeline `yaml:"transforms,omitempty"`
}

// A ChannelRule chooses channels. Names are compared after they have been
// brought to the 10-10 system's spelling.
type ChannelRule struct {
	Pick    []string `yaml:"pick,omitempty"` // only these, in this order
	Exclude []string `yaml:"exclude,omitempty"`
}

// A TrimRule takes seconds off both ends of each recording.
type TrimRule struct {
	Start float64 `yaml:"start,omitempty"`
	End   float64 `yaml:"end,omitempty"`
}

// A TrialRule cuts each recording into trials of some seconds, so that a split
// across trials is possible where a class is one long recording. Trials that
// follow one another in one recording are less foreign to each other than
// recordings made apart.
type TrialRule struct {
	Seconds float64 `yaml:"seconds,omitempty"`
}

// A SignalRule describes files that hold numbers only.
type SignalRule struct {
	Rate       float64  `yaml:"rate,omitempty"`       // samples per second
	Electrodes []string `yaml:"electrodes,omitempty"` // of the rows, or the name of one montage
	Baseline   float64  `yaml:"baseline,omitempty"`   // seconds before the stimulus at the start of each trial
	// Bands, where files hold features that were made of recordings, name those of a window: each
	// row has as many numbers for each window, and Rate is how many a second those are.
	Bands []string `yaml:"bands,omitempty" json:",omitempty"`
	Array string   `yaml:"array,omitempty"` // the samples in an .npz or MAT file of several arrays, or a path: "EEG.data"
	Axes  []string `yaml:"axes,omitempty"`  // of the array in a MAT file; [channels, samples, trials] without it
	Scale float64  `yaml:"scale,omitempty"` // microvolts for each unit of the numbers; 1 without it
}

// Window is how many seconds the features of one window are of; 0 where files hold samples.
func (s SignalRule) Window() float64 {
	if len(s.Bands) == 0 || s.Rate == 0 {
		return 0
	}
	return float64(len(s.Bands)) / s.Rate
}

// electrodes returns the names of the rows of files that don't name them.
func (s SignalRule) electrodes() ([]string, error) {
	if s.Rate == 0 || len(s.Electrodes) == 0 {
		return nil, fmt.Errorf("its format doesn't say at which rate it was sampled, nor which electrodes: give signal.rate and signal.electrodes in the manifest")
	}
	if len(s.Electrodes) == 1 {
		if m, err := montage.Find(s.Electrodes[0]); err == nil {
			return m.Electrodes, nil
		}
	}
	return slices.Clone(s.Electrodes), nil
}

// A ClassRule gives a label its class.
type ClassRule struct{ Label, Class string }

// Classes are class rules in the order in which they are written.
type Classes []ClassRule

// Names returns the classes in order of their first mention. A class's number
// is its index here.
func (c Classes) Names() []string {
	var names []string
	for _, r := range c {
		if !slices.Contains(names, r.Class) {
			names = append(names, r.Class)
		}
	}
	return names
}

// index returns the number of the class of a label.
func (c Classes) index(label string) (int, bool) {
	for _, r := range c {
		if r.Label == label || charset.Same(r.Label, label) {
			return slices.Index(c.Names(), r.Class), true
		}
	}
	return 0, false
}

func (c Classes) labels() string {
	var l []string
	for _, r := range c {
		l = append(l, r.Label)
	}
	return strings.Join(l, ", ")
}

// UnmarshalYAML reads a mapping and keeps its order and the spelling of its
// keys: 01 is not 1.
func (c *Classes) UnmarshalYAML(n ast.Node) error {
	pairs, ok := strictyaml.Pairs(n)
	if !ok {
		return strictyaml.At(n, "classes must map each label to the name of its class, such as {T1: left, T2: right}")
	}
	for _, v := range pairs {
		class := v.Value.GetToken().Value
		if _, scalar := v.Value.(ast.ScalarNode); !scalar || class == "" {
			return strictyaml.At(v.Key, "the class of a label must be a name")
		}
		*c = append(*c, ClassRule{v.Key.GetToken().Value, class})
	}
	return nil
}

// MarshalYAML writes the mapping in order.
func (c Classes) MarshalYAML() (any, error) {
	var m yaml.MapSlice
	for _, r := range c {
		m = append(m, yaml.MapItem{Key: r.Label, Value: r.Class})
	}
	return m, nil
}

// ParseManifest reads a manifest. name is for error messages, which give line
// and column.
func ParseManifest(b []byte, name string) (*Manifest, error) {
	m := &Manifest{}
	if err := strictyaml.Unmarshal(b, name, m); err != nil {
		return nil, err
	}
	if err := m.check(b); err != nil {
		return nil, strictyaml.Placed(name, err)
	}
	return m, nil
}

// locate makes a fault at the value of a path such as "$.label.group", or
// without a place if the manifest has no such value.
func locate(b []byte, where, format string, args ...any) error {
	f := &strictyaml.Fault{Message: fmt.Sprintf(format, args...)}
	if p, err := yaml.PathString(where); err == nil {
		if n, err := p.ReadNode(strings.NewReader(string(b))); err == nil {
			f.At = n.GetToken()
		}
	}
	return f
}

// check finds settings that are well-formed and yet can't be meant.
func (m *Manifest) check(b []byte) error {
	f, err := formatNamed(m.Format)
	if err != nil {
		return locate(b, "$.format", "%s", err)
	}
	m.Files = cmp.Or(m.Files, f.pattern)
	if tables := namesOf(func(f format) bool { return f.tables }); len(m.Task) > 0 && !f.tables {
		return locate(b, "$.task", "task chooses recordings of format %s: choose files of format %s by files", strings.Join(tables, " or "), m.Format)
	}
	if m.Files == "" {
		return locate(b, "$", "files is missing: a regular expression for the names of the recordings, with a group (?<subject>...)")
	}
	if m.files, err = regexp.Compile(norm.NFC.String(m.Files)); err != nil {
		return locate(b, "$.files", "files is not a regular expression: %s", err)
	}
	if m.files.SubexpIndex("subject") < 0 {
		return locate(b, "$.files", "files has no group (?<subject>...), so that a recording's subject isn't known")
	}
	for where, seconds := range map[string]float64{"$.trim.start": m.Trim.Start, "$.trim.end": m.Trim.End, "$.trials.seconds": m.Trials.Seconds,
		"$.label.seconds": m.Label.Seconds, "$.signal.rate": m.Signal.Rate, "$.signal.baseline": m.Signal.Baseline, "$.signal.scale": m.Signal.Scale} {
		if !(seconds >= 0) || math.IsInf(seconds, 0) {
			return locate(b, where, "%g can't be negative or infinite", seconds)
		}
	}
	if _, err := charset.Named(m.Encoding); err != nil {
		return locate(b, "$.encoding", "%s", err)
	}
	if err := m.checkSignal(b, f); err != nil {
		return err
	}
	if m.Unlabelled() {
		return nil
	}
	if f.labels != nil && len(m.Label.Transforms) == 0 {
		if m.Label.Transforms, err = (label.Choice{}).Pipeline(f.labels); err != nil {
			return locate(b, "$.label", "%s", err)
		}
	}
	if f.labels == nil {
		if err := m.checkLabel(b, f); err != nil {
			return err
		}
	}
	if m.Label.Classes == nil && f.labels == nil {
		return nil
	}
	if _, err := m.labelForm(f).prepare(m.Label.Transforms); err != nil {
		return locate(b, "$.label.transforms", "%s", err)
	}
	return nil
}

// checkSignal finds faults in the signal settings, which describe files without a header.
func (m *Manifest) checkSignal(b []byte, f format) error {
	s := m.Signal
	if s.Scale != 0 && f.units {
		return locate(b, "$.signal.scale", "files of format %s say their units themselves", f.name)
	}
	if len(s.Axes) == 0 {
		return nil
	}
	if !f.axes {
		return locate(b, "$.signal.axes", "axes are of files of format %s", strings.Join(namesOf(func(f format) bool { return f.axes }), " or "))
	}
	known := []string{channelAxis, sampleAxis, trialAxis}
	for i, a := range s.Axes {
		if !slices.Contains(known, a) || slices.Contains(s.Axes[:i], a) {
			return locate(b, "$.signal.axes", "axes must be %s in the array's order, each once", strings.Join(known, ", "))
		}
	}
	if !slices.Contains(s.Axes, channelAxis) || !slices.Contains(s.Axes, sampleAxis) {
		return locate(b, "$.signal.axes", "axes must have channels and samples")
	}
	return nil
}

// Unlabelled reports whether recordings have no label, neither in the files nor by
// the manifest. They can be looked at and converted.
func (m *Manifest) Unlabelled() bool {
	f, l := m.format(), m.Label
	return f.name != "" && f.labels == nil && l.Group == "" && !l.Annotations && l.Array == "" && l.Column == "" && l.Participant == "" && l.Seconds == 0 && l.Classes == nil && l.Transforms == nil
}

func (m *Manifest) checkLabel(b []byte, f format) error {
	l := m.Label
	if err := m.checkRating(b); err != nil {
		return err
	}
	l = m.Label
	ways := 0
	for _, used := range []bool{l.Group != "", l.Annotations, l.Array != "", l.Column != "", l.Participant != ""} {
		if used {
			ways++
		}
	}
	switch {
	case ways != 1 && f.tables:
		return locate(b, "$.label", "label needs one of column (of events.tsv, such as trial_type), participant (a column of participants.tsv), group (of files, such as task) and annotations: true (those in the files themselves)")
	case ways != 1:
		return locate(b, "$.label", "label needs either group (the group of files that holds it), annotations: true, or array (of an .npz or MAT file)")
	case l.Annotations && !f.annotated(), l.Array != "" && !f.arrays, (l.Column != "" || l.Participant != "") && !f.tables:
		return locate(b, "$.label", "files of format %s have no such labels: annotations are of %s, columns and participants of %s, arrays of %s", m.Format, strings.Join(namesOf(format.annotated), ", "),
			strings.Join(namesOf(func(f format) bool { return f.tables }), " and "), strings.Join(namesOf(func(f format) bool { return f.arrays }), " and "))
	case l.Group != "" && m.files.SubexpIndex(l.Group) < 0:
		return locate(b, "$.label.group", "files has no group (?<%s>...) to take the label from", l.Group)
	case (l.Annotations || l.Column != "") && m.files.SubexpIndex("trial") >= 0:
		return locate(b, "$.files", "with labels from annotations each annotation is a trial: call the group trial of files session instead")
	case l.Seconds > 0 && !l.Annotations && l.Column == "":
		return locate(b, "$.label.seconds", "seconds is the length of an annotation's recording and needs annotations: true")
	case l.Classes == nil && (l.Column != "" || l.Participant != ""):
		return nil // they are found in the tables
	case len(l.Classes.Names()) < 2:
		return locate(b, "$.label", "label.classes names %d class(es) and a classifier needs two: map each label to its class, such as {T1: left, T2: right}", len(l.Classes.Names()))
	}
	return nil
}

// checkRating makes the classes of a column of ratings.
func (m *Manifest) checkRating(b []byte) error {
	l := &m.Label
	switch {
	case l.Stimulus != "" && l.Column == "":
		return locate(b, "$.label.stimulus", "stimulus is a column of events.tsv and needs label.column")
	case l.Threshold == nil && l.Tie != "":
		return locate(b, "$.label.tie", "tie says what a rating is that equals label.threshold, which is missing")
	case l.Threshold == nil:
		return nil
	case l.Column == "" || l.Classes != nil:
		return locate(b, "$.label.threshold", "threshold divides the ratings in label.column, instead of label.classes")
	}
	form, _, err := (&label.Binary{Threshold: *l.Threshold, Tie: l.Tie}).Prepare(label.Form{Keys: []string{l.Column}, Classes: [][]string{nil}})
	if err != nil {
		return locate(b, "$.label.tie", "%s", err)
	}
	for _, c := range form.Classes[0] {
		l.Classes = append(l.Classes, ClassRule{c, c})
	}
	return nil
}

// rated is the class of a rating in words; the text itself, where no threshold is given or it has
// none.
func (l LabelRule) rated(text string) string {
	if l.Threshold == nil {
		return text
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != v {
		return text
	}
	form, apply, err := (&label.Binary{Threshold: *l.Threshold, Tie: l.Tie}).Prepare(label.Form{Keys: []string{l.Column}, Classes: [][]string{nil}})
	if err != nil {
		return text
	}
	class, err := apply([]float64{v})
	if err != nil { // it equals the threshold, and such are dropped
		return text
	}
	return form.Classes[0][int(class[0])]
}

// labelForm is the form of the recordings' labels.
type labelForm label.Form

func (m *Manifest) labelForm(f format) labelForm {
	if f.labels == nil {
		return labelForm{Keys: []string{"label"}, Classes: [][]string{m.Label.Classes.Names()}}
	}
	return labelForm{Keys: label.Keys(f.labels), Classes: make([][]string, len(f.labels))}
}

func (f labelForm) prepare(p label.Pipeline) (*label.Prepared, error) {
	return p.Prepare(label.Form(f))
}

// groups returns the named groups of a path that the manifest's files match.
func (m *Manifest) groups(name string) (map[string]string, bool) {
	// Systems write accents as one character or as two, and mean the same name.
	found := m.files.FindStringSubmatch(norm.NFC.String(name))
	if found == nil {
		return nil, false
	}
	g := map[string]string{}
	for i, n := range m.files.SubexpNames() {
		if n != "" {
			g[n] = found[i]
		}
	}
	return g, true
}
