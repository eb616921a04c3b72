// Command eegprune trains EEG networks, prunes them, recovers their accuracy and shows
// the savings. It turns flags and files into calls; nothing is decided here.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment/watch"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/train"
)

// Exit codes.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130 // as shells report SIGINT
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// OpenMP has a team for each thread that asks, and where there are several their threads sleep between
	// the parallel parts of a pass: what the program computes outside of jobs, it computes on this thread.
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGXFSZ) // writing more than is allowed is an error that says of which file
	// A second interrupt ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdin: os.Stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	if askedToComplete(args) {
		complete(root)
		offerArguments(root)
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "eegprune:", explain(err))
	var usage usageError
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage) || !a.started:
		return exitUsage
	}
	return exitFailure
}

// app holds the streams and flags that all commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	quiet          bool
	json           bool
	helpAll        bool
	// started is set once flags and arguments were understood: an error before is one of
	// the call.
	started bool
}

// progress shows how far some work has come. The caller closes it.
func (a *app) progress() *watch.Progress { return watch.New(a.stderr, a.quiet) }

// A usageError is a flag or an argument that can't be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// explain adds the mend to errors of the system that don't say it themselves.
func explain(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted; what was finished is kept, and the same command goes on from there"
	case train.IsOutOfMemory(err) && !strings.Contains(text, "--"):
		return text + "; a smaller --batch or fewer --jobs need less"
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return text + "; make room on that disk and run the same command again, what was finished is kept"
	case errors.Is(err, syscall.EFBIG):
		return text + "; allow larger files (ulimit -f) and run the same command again, what was finished is kept"
	case errors.Is(err, os.ErrPermission) && !strings.Contains(text, "chmod"):
		return text + "; choose a place that you may write to (--out), or change its permissions"
	}
	return text
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "eegprune",
		Short: "Train EEG networks, prune them, recover their accuracy and show what was saved",
		Long: `eegprune trains EEG networks on recordings, removes the filters that matter least,
recovers the accuracy, and reports over folds what was saved and what it cost.

Networks: ` + strings.Join(models.Names(), ", ") + `,
and any that torch.export writes (.pt2).`,
		Example: `  eegprune data simulate --out recordings --subjects 4 --trials 2 --seconds 10
  eegprune run --data recordings --out study --folds 2 --epochs 2`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "show no progress")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write JSON instead of text to standard output")
	a.helpFlags(root.PersistentFlags())
	group(root.PersistentFlags(), ofOutput)
	root.SetHelpFunc(a.help)
	root.AddCommand(a.studyCommand(), a.runCommand(), a.trainCommand(), a.pruneCommand(), a.recoverCommand(), a.evaluateCommand(),
		a.sensitivityCommand(), a.sweepCommand(), a.savingsCommand(), a.compareCommand(), a.reportCommand(),
		a.predictCommand(), a.initCommand(), a.exportCommand(), a.inspectCommand(), a.dataCommand(), a.benchCommand(), a.doctorCommand(), a.citeCommand(), a.versionCommand())
	a.noteStart(root)
	return root
}

// noteStart makes every command say that it was called as it should be: cobra checks
// flags and arguments up to the moment at which it runs it.
func (a *app) noteStart(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return run(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		a.noteStart(sub)
	}
}
