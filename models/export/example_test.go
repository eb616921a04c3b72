package export_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/export"
	"github.com/eegprune/eegprune/torch"
)

// Python writes a class that torch.nn.Module's load_state_dict fills from a checkpoint.
func ExamplePython() {
	arch, err := models.Build("ccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	var b bytes.Buffer
	if err := export.Python(&b, arch, nil); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "Conv2d(") || strings.Contains(line, "class ") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// class Network(nn.Module):
	// self.conv1 = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(4, 64, (4, 4)), nn.ReLU())
	// self.conv2 = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(64, 128, (4, 4)), nn.ReLU())
	// self.conv3 = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(128, 256, (4, 4)), nn.ReLU())
	// self.conv4 = nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(256, 64, (4, 4)), nn.ReLU())
}

// ONNX writes a network as it computes in evaluation, for batches of any size.
func ExampleONNX() {
	arch, err := models.Build("ccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()
	var b bytes.Buffer
	if err := export.ONNX(&b, n, export.ONNXOptions{}); err != nil {
		log.Fatal(err)
	}
	counts, err := arch.Count()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("four bytes for each parameter and a graph:", b.Len() > 4*int(counts.Parameters))
	// Output: four bytes for each parameter and a graph: true
}
