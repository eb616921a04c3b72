package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A heading is one under which --help lists flags.
type heading string

const (
	ofData       heading = "Data"
	ofNetwork    heading = "Network"
	ofTraining   heading = "Training"
	ofPruning    heading = "Pruning"
	ofComparison heading = "Comparison"
	ofComputing  heading = "Computing"
	ofSlurm      heading = "Slurm"
	ofOutput     heading = "Output"
)

// headings are all of them, in the order of --help.
func headings() []heading {
	return []heading{ofData, ofNetwork, ofTraining, ofPruning, ofComparison, ofComputing, ofSlurm, ofOutput}
}

// The annotations of flags that --help reads.
const (
	headingKey = "eegprune heading"
	rareKey    = "eegprune rare"
	takesKey   = "eegprune takes"
)

// group puts the flags that have no heading yet under this one.
func group(s *pflag.FlagSet, h heading) {
	s.VisitAll(func(f *pflag.Flag) {
		if headingOf(f) == "" {
			annotate(f, headingKey, string(h))
		}
	})
}

// rare marks flags that only --help-all shows where not all fit on a screen.
func rare(s *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(s.Lookup(name), rareKey, name)
	}
}

// takes sets the word that stands for the value of these flags.
func takes(s *pflag.FlagSet, word string, names ...string) {
	for _, name := range names {
		annotate(s.Lookup(name), takesKey, word)
	}
}

func annotate(f *pflag.Flag, key, value string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = []string{value}
}

func headingOf(f *pflag.Flag) heading { return heading(strings.Join(f.Annotations[headingKey], "")) }

// A helpAll is --help-all: it asks for help, and for all of it.
type helpAll struct{ help, all *bool }

func (h helpAll) String() string   { return "false" }
func (h helpAll) Type() string     { return "bool" }
func (h helpAll) IsBoolFlag() bool { return true }
func (h helpAll) Set(s string) (err error) {
	*h.all, err = strconv.ParseBool(s)
	*h.help = *h.all
	return err
}

// helpFlags are those that ask for help.
func (a *app) helpFlags(s *pflag.FlagSet) {
	help := s.BoolP("help", "h", false, "show this")
	s.Var(helpAll{help, &a.helpAll}, "help-all", "show this with all flags")
	s.Lookup("help-all").NoOptDefVal = "true"
}

// The screen that help is made for.
const (
	helpLines   = 50
	helpColumns = 100
)

// help writes the usage of a command. Where that is more than a screen, rare flags, and lines of a
// flag after its first, are left to --help-all: the lists of networks and methods grow, and the
// screen does not.
func (a *app) help(c *cobra.Command, _ []string) {
	text := helpText(c, true)
	if !a.helpAll && strings.Count(text, "\n") > helpLines {
		text = helpText(c, false)
	}
	_, _ = io.WriteString(c.OutOrStdout(), text)
}

func helpText(c *cobra.Command, all bool) string {
	var b strings.Builder
	about := c.Long
	if about == "" {
		about = c.Short
	}
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(about))
	if c.Runnable() {
		fmt.Fprintf(&b, "\nUsage: %s\n", c.UseLine())
	}
	if c.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nCommands:\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	flags := map[heading][]*pflag.Flag{}
	hidden := 0
	c.InitDefaultHelpFlag() // merges those of all commands into c's
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		if !all && f.Annotations[rareKey] != nil {
			hidden++
			return
		}
		h := headingOf(f)
		if h == "" {
			h = ofOutput // of commands that cobra makes
		}
		flags[h] = append(flags[h], f)
	})
	for _, h := range headings() {
		if len(flags[h]) > 0 {
			fmt.Fprintf(&b, "\n%s:\n", h)
			writeFlags(&b, flags[h], all)
		}
	}
	if !all {
		fmt.Fprintf(&b, "\n%d more flags, and all that these take: %s --help-all\n", hidden, c.CommandPath())
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n\"%s COMMAND --help\" describes a command.\n", c.CommandPath())
	}
	return b.String()
}

// writeFlags writes a line for each flag, and more where its usage is longer.
func writeFlags(b *strings.Builder, flags []*pflag.Flag, all bool) {
	const most = 26 // columns of names: a longer one has a line of its own
	width := 0
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = flagName(f)
		if n := len(names[i]); n <= most {
			width = max(width, n)
		}
	}
	indent := "\n" + strings.Repeat(" ", width+2)
	for i, f := range flags {
		columns := helpColumns - len(indent) + 1
		usage, value := flagUsage(f, all)
		lines := strings.Join(wrap(usage+value, columns), indent)
		if !all {
			lines = cut(usage, columns-len(value)) + value
		}
		if len(names[i]) > width {
			fmt.Fprintf(b, "%s%s%s\n", names[i], indent, lines)
		} else {
			fmt.Fprintf(b, "%-*s  %s\n", width, names[i], lines)
		}
	}
}

// flagName is a flag with the word for its value: "  -q, --quiet", "      --ratio x,...".
func flagName(f *pflag.Flag) string {
	name := "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	if value := taken(f); value != "" {
		name += " " + value
	}
	return name
}

// taken is the word for a flag's value.
func taken(f *pflag.Flag) string {
	if said := f.Annotations[takesKey]; said != nil {
		return said[0]
	}
	switch f.Value.Type() {
	case "bool":
		return ""
	case "int", "uint", "uint64":
		return "n"
	case "intSlice", "uintSlice":
		return "n,..."
	case "float64":
		return "x"
	case "float64Slice":
		return "x,..."
	case "stringSlice":
		return "name,..."
	case "duration":
		return "time"
	}
	return "name"
}

// flagUsage is the usage of a flag, in short or all of it, and its default where the usage doesn't
// have it.
func flagUsage(f *pflag.Flag, all bool) (usage, value string) {
	short, long, more := strings.Cut(f.Usage, "\n")
	if usage = short; more && all {
		usage += "; " + long
	}
	if before, after, said := strings.Cut(short, " (default"); said {
		if all || more {
			return usage, ""
		}
		return before, " (default" + after
	}
	switch value := defaultOf(f); value {
	case "", "0", "false", "0s":
		return usage, ""
	case "true":
		return usage, " (default; --" + f.Name + "=false: not)"
	default:
		return usage, " (default " + value + ")"
	}
}

// defaultOf is a flag's default as a user would write it.
func defaultOf(f *pflag.Flag) string {
	if _, list := f.Value.(pflag.SliceValue); !list {
		return f.DefValue
	}
	parts := strings.Split(strings.Trim(f.DefValue, "[]"), ",")
	for i, part := range parts {
		if v, err := strconv.ParseFloat(part, 64); err == nil {
			parts[i] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return strings.Join(parts, ",")
}

// cut shortens a text to so many columns, at a space.
func cut(text string, columns int) string {
	const more = " ..."
	if len(text) <= columns {
		return text
	}
	lines := wrap(text, columns-len(more))
	return lines[0] + more
}

// wrap breaks a text at spaces into lines of so many columns, where words allow it.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return slices.Concat(lines, []string{line})
}
