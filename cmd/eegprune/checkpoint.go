package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

// The shared parts of commands that make another checkpoint, or a number, of one.

// outcome is the output of these commands, as JSON or as a line.
type outcome struct {
	Checkpoint string         `json:"checkpoint"`
	Cell       result.Cell    `json:"cell"`
	Before     *result.Size   `json:"before,omitempty"`
	Size       *result.Size   `json:"size,omitempty"`
	Widths     []result.Width `json:"widths,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
	Origin     note.List      `json:"origin_notes,omitempty"` // data left out, rounded or assumed of another program's file
	Test       *result.Score  `json:"test,omitempty"`
}

func (a *app) say(o outcome, text string) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(o)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

// openCheckpoint opens a checkpoint. Of one that another program wrote it prints the
// assumptions, and the notes of the file, which are an error with strict. The caller closes it.
func (a *app) openCheckpoint(path string, o models.OpenOptions, strict bool) (*experiment.Checkpoint, error) {
	c, err := experiment.OpenCheckpoint(path, o)
	if err != nil {
		return nil, err
	}
	if !a.quiet {
		if len(c.Assumed) > 0 {
			fmt.Fprintf(a.stderr, "%s was written by another program and is taken for %s\n", path, strings.Join(c.Assumed, ", "))
		}
		err = writeNotes(a.stderr, c.FileNotes)
	}
	if err == nil && strict {
		err = c.FileNotes.Strict()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// openWithStudy opens a checkpoint and the study that it comes from, not divided yet, with its
// settings changed by the flags and by change. The caller closes both.
func (a *app) openWithStudy(ctx context.Context, path string, d *dataFlags, dev *deviceFlags, change func(*experiment.Config) error) (*experiment.Checkpoint, *experiment.Study, error) {
	device, err := dev.open()
	if err != nil {
		return nil, nil, err
	}
	c, err := a.openCheckpoint(path, models.OpenOptions{Device: device}, false)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.studyOf(ctx, c, d, change)
	if err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, s, nil
}

func (a *app) studyOf(ctx context.Context, c *experiment.Checkpoint, d *dataFlags, change func(*experiment.Config) error) (*experiment.Study, error) {
	config := c.Config
	if err := errors.Join(d.apply(&config), change(&config)); err != nil {
		return nil, err
	}
	if err := config.Check(); err != nil {
		return nil, usageError{err}
	}
	cache, err := d.cache.dir()
	if err != nil {
		return nil, err
	}
	progress := a.progress()
	defer progress.Close()
	return c.OpenStudy(ctx, config, d.changed(), experiment.OpenOptions{Devices: []torch.Device{c.Network.Device()}, Cache: cache, Progress: progress.Reading})
}

// unchanged leaves a study's settings as they are.
func unchanged(*experiment.Config) error { return nil }
