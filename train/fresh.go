package train

import (
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Fresh makes a network with fresh weights, under masks if there are any, and returns it
// with the generator that drew them, which the training goes on drawing from. They are
// drawn on the CPU, so that a seed gives the same on every device. The caller frees both.
func Fresh(arch *models.Arch, masks models.Masks, device torch.Device, seed uint64) (n *models.Network, g *torch.Generator, err error) {
	if g, err = torch.NewGenerator(torch.CPU, seed); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			g.Free()
		}
	}()
	drawn, err := models.New(arch, torch.CPU, g)
	if err != nil {
		return nil, nil, err
	}
	defer drawn.Free()
	if len(masks) > 0 {
		if err := drawn.DrawMasked(masks, g); err != nil {
			return nil, nil, err
		}
	}
	n, err = drawn.To(device)
	return n, g, err
}
