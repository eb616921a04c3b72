package train

import (
	"context"
	"errors"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

func TestADeviceIsTriedByTraining(t *testing.T) {
	before := torch.LiveTensors()
	r, err := TryDevice(context.Background(), torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if r.Step <= 0 || r.Recorded {
		t.Errorf("the CPU's trainings came to %+v", r)
	}
	if n := torch.LiveTensors(); n != before {
		t.Errorf("%d tensors are left", n-before)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := TryDevice(ended, torch.CPU); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end the error is %v", err)
	}
}
