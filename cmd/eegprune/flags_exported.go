package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/models"
)

// exportedFlags say which network that PyTorch exported is taken instead of one of this program's.
type exportedFlags struct {
	file, init string
}

func (f *exportedFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.file, "network", "", "file of a network that torch.export.save wrote, instead of --model: net.pt2")
	s.StringVar(&f.init, "init", "", "initial weights of --network: "+strings.Join(models.Starts(), ", "))
	group(s, ofNetwork)
}

// read reads the network, nil where none is named, to start as said, or as it is by itself.
func (f *exportedFlags) read(start models.Start) (*models.Arch, error) {
	if f.file == "" {
		return nil, nil
	}
	if f.init != "" {
		start = models.Start(f.init)
	}
	return models.ReadExported(f.file, start)
}
