package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/experiment"
)

// studyName is the study file that init writes.
const studyName = "study.yaml"

// initFlags are the answers to the questions of init.
type initFlags struct {
	yes, schemas bool
	out          string // the study file
	files, group string
	classes      []string
	seconds      float64
	a            *app
	in           *bufio.Reader
}

func (a *app) initCommand() *cobra.Command {
	f := initFlags{a: a}
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Write an eegprune.yaml and a study.yaml for a directory of recordings",
		Long: `init looks at a directory of recordings and writes two files. eegprune.yaml, in that directory,
says how the recordings are read and where their labels are. study.yaml, in the current
directory, is a study to begin with. init asks for what the files leave open; --yes asks
nothing. --schemas writes the JSON schema of each beside it and names it on the first line, so
that editors complete and check the file. init never writes over a file.`,
		Example: `  eegprune init recordings --yes --out first.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.write(cmd.Context(), args[0]) },
	}
	s := c.Flags()
	s.BoolVarP(&f.yes, "yes", "y", false, "ask nothing")
	s.StringVar(&f.files, "files", "", "regular expression for the names of recordings, with a group (?<subject>...)")
	s.StringVar(&f.group, "group", "", "group of --files that holds the label (default: the label is an annotation)")
	s.StringSliceVar(&f.classes, "classes", nil, "class of each label, such as T1=left,T2=right (default: each annotation is a class)")
	s.Float64Var(&f.seconds, "seconds", 0, "length of the trial that an annotation begins (default: the annotation's own)")
	group(s, ofData)
	s.StringVar(&f.out, "out", studyName, "file of the study")
	s.BoolVar(&f.schemas, "schemas", false, "write the files' JSON schemas too, and name them for editors")
	group(s, ofOutput)
	takes(s, "file", "out")
	takes(s, "label=class,...", "classes")
	takes(s, "regexp", "files")
	return c
}

// ask returns the answer to a question, by default the usual one.
func (f *initFlags) ask(question, usual string) (string, error) {
	if f.yes {
		return usual, nil
	}
	if f.in == nil {
		f.in = bufio.NewReader(f.a.stdin)
	}
	fmt.Fprintf(f.a.stderr, "%s [%s]: ", question, usual)
	line, err := f.in.ReadString('\n')
	if err != nil {
		return "", usageError{errors.New("the answers end before the questions do: --yes asks nothing")}
	}
	if line = strings.TrimSpace(line); line == "" {
		return usual, nil
	}
	return line, nil
}

func (f *initFlags) write(ctx context.Context, dir string) error {
	manifest, study := filepath.Join(dir, source.ManifestName), f.out
	haveManifest, haveStudy := exists(manifest), exists(study)
	if haveManifest && haveStudy {
		return fmt.Errorf("%s and %s are there already: nothing is written", manifest, study)
	}
	if !haveManifest {
		text, err := f.manifest(ctx, dir)
		if err != nil {
			return err
		}
		if text != "" {
			if _, err := source.ParseManifest([]byte(text), manifest); err != nil {
				return usageError{err}
			}
			if err := f.createWithSchema(manifest, text, "eegprune.json"); err != nil {
				return err
			}
		}
	}
	if haveStudy {
		return nil
	}
	below, err := relative(filepath.Dir(study), dir)
	if err != nil {
		return err
	}
	return f.createWithSchema(study, fmt.Sprintf(studyText, study, study, quoted(below)), "study.json")
}

// createWithSchema writes a YAML file and, if asked, its schema beside it. A schema that is there
// already is taken: the files of a second study share it.
func (f *initFlags) createWithSchema(path, text, schema string) error {
	if !f.schemas {
		return f.create(path, text)
	}
	all, err := experiment.Schemas()
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(schema, ".json") + ".schema.json"
	beside := filepath.Join(filepath.Dir(path), name)
	if err := f.create(beside, string(all[schema])); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.create(path, "# yaml-language-server: $schema="+name+"\n"+text)
}

// relative is the way from one directory to another.
func relative(from, to string) (string, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// create writes a file that is not there yet.
func (f *initFlags) create(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if f.a.json {
		return json.NewEncoder(f.a.stdout).Encode(map[string]string{"wrote": path})
	}
	_, err = fmt.Fprintln(f.a.stdout, "wrote", path)
	return err
}

// manifest makes the text of an eegprune.yaml; none where the recordings need none.
func (f *initFlags) manifest(ctx context.Context, dir string) (string, error) {
	from, err := source.Open(dir, "")
	if err != nil {
		return "", err
	}
	if from.Origin.BuiltIn || !from.Manifest.Unlabelled() {
		return "", nil // the files say it all
	}
	p := f.a.progress()
	sum, err := source.Inspect(ctx, from, p.Reading)
	p.Close()
	if err != nil {
		return "", err
	}
	if sum.Start != "" {
		return sum.Start, nil
	}
	if f.files == "" {
		if f.files, err = f.ask("Names of the recordings, as a regular expression with a group (?<subject>...)", from.Manifest.Files); err != nil {
			return "", err
		}
	}
	if f.group == "" && len(f.classes) == 0 {
		if f.group, err = f.ask("Group of it that holds the label; none where annotations are labels", ""); err != nil {
			return "", err
		}
	}
	found, lasting := annotations(sum)
	if f.classes == nil {
		usual := ""
		if f.group == "" {
			usual = strings.Join(found, ",")
		}
		answer, err := f.ask("Class of each label, such as T1=left,T2=right", usual)
		if err != nil {
			return "", err
		}
		if answer != "" {
			f.classes = strings.Split(answer, ",")
		}
	}
	if len(f.classes) < 2 {
		return "", usageError{fmt.Errorf("%s: two labels at the least are needed, and the files have the annotations %q: name labels with --classes, and --group where names of files hold them", dir, found)}
	}
	if f.group == "" && !lasting && f.seconds == 0 {
		answer, err := f.ask("Seconds of a trial, for annotations have no duration", "")
		if err != nil {
			return "", err
		}
		if f.seconds, err = strconv.ParseFloat(answer, 64); err != nil || !(f.seconds > 0) {
			return "", usageError{fmt.Errorf("%s: the annotations have no duration: say how long a trial is with --seconds", dir)}
		}
	}
	return f.text(from.Manifest.Format), nil
}

// annotations are the texts of all files' annotations, and whether one has a duration.
func annotations(sum *source.Summary) (texts []string, lasting bool) {
	for _, file := range sum.Events {
		for _, e := range file.Events {
			if !slices.Contains(texts, e.Text) {
				texts = append(texts, e.Text)
			}
			lasting = lasting || e.Duration > 0
		}
	}
	slices.Sort(texts)
	return texts, lasting
}

func (f *initFlags) text(format string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# How the recordings of this directory are read. \"eegprune data info\" shows what is found.\nformat: %s\n", format)
	fmt.Fprintf(&b, "# The path of each recording below this directory. (?<subject>...) is required;\n# (?<session>...) and (?<trial>...) are optional.\nfiles: '%s'\nlabel:\n", strings.ReplaceAll(f.files, "'", "''"))
	if f.group != "" {
		fmt.Fprintf(&b, "  # The group of files that holds the label.\n  group: %s\n", quoted(f.group))
	} else {
		b.WriteString("  # Each annotation with one of these texts is a trial.\n  annotations: true\n")
		if f.seconds > 0 {
			fmt.Fprintf(&b, "  seconds: %g\n", f.seconds)
		}
	}
	b.WriteString("  # The class of each label. Labels that are not listed are left out.\n  classes:\n")
	for _, c := range f.classes {
		label, class, ok := strings.Cut(c, "=")
		if !ok {
			class = label
		}
		fmt.Fprintf(&b, "    %s: %s\n", quoted(label), quoted(class))
	}
	return b.String()
}

// quoted is a text as YAML and JSON have it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // of a string it can't fail
	return string(b)
}

const studyText = `# A study to begin with. Check it, then carry it out:
#   eegprune study validate %s
#   eegprune study run %s --out results
name: study
data:
  dir: %s    # of the recordings, from this file's directory
seed: 1
networks:
  - model: fbccnn
    features: {seconds: 1}
    # The paper trains for 200 epochs.
    train: {epochs: 50}
prune:
  methods: [lfp, nsfp]
  ratios: [0.3, 0.5, 0.7]    # shares of the filters that are removed
recover: [fine-tune, scratch]
`
