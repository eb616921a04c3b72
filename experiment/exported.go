package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/models"
)

// Exported is a network that PyTorch exported, which a study trains.
type Exported struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"` // of the file
	// Start is how its weights are initialised; see [models.Start].
	Start models.Start `json:"init,omitempty"`
}

// OpenExported finds a network's file.
func OpenExported(file string, start models.Start) (*Exported, error) {
	sum, err := sumOf(file)
	if err != nil {
		return nil, fmt.Errorf("reading the network: %w", err)
	}
	return &Exported{File: file, SHA256: sum, Start: start}, nil
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// read reads the network, which must still be the one that the study was made of.
func (e *Exported) read() (*models.Arch, error) {
	sum, err := sumOf(e.File)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the network: %w", err)
	case sum != e.SHA256:
		return nil, fmt.Errorf("%s is no longer the network that the study was made of: bring that back, or begin another study", e.File)
	}
	return models.ReadExported(e.File, e.Start)
}

// features are those that the network takes: bands on a grid, or signals of one channel.
func (e *Exported) features() (data.Options, error) {
	a, err := e.read()
	if err != nil {
		return data.Options{}, err
	}
	if a.Input[0] > 1 {
		return data.GridOptions(), nil
	}
	o := data.SignalOptions()
	o.Seconds, o.Samples = 0, a.Input[2]
	return o, nil
}
