package result

import (
	"encoding/json"
	"fmt"
)

// A Study is all there is to report of a directory.
type Study struct {
	Schema   int             `json:"schema"`
	Config   json.RawMessage `json:"config"` // the study's configuration
	Settings []Setting       `json:"settings"`
	Notes    []string        `json:"notes,omitempty"`
	// Leak, where clips of one trial are both trained on and tested on, says so and
	// names the split that does not do it. It stands under every table.
	Leak string `json:"leak,omitempty"`
	// Leaks says in a sentence each how training could know of test clips; it
	// stands in a report's first lines.
	Leaks []string `json:"leaks,omitempty"`
	// Metric is the metric that networks are judged by; "" in results of schema 2: accuracy.
	Metric string `json:"metric,omitempty"`
	// Labels lists the labels that make the classes, and their shares: one element, unless networks
	// were given other labels. Results of earlier versions have none.
	Labels []Labels `json:"labels,omitempty"`
	// Lacks lists the data that a result.json of an earlier version does not hold; it is not written.
	Lacks       []string    `json:"-"`
	Environment Environment `json:"environment"`
	Results     []Result    `json:"results"`
	// Speeds holds the speeds of the first fold's networks, measured with nothing else
	// running.
	Speeds []VariantSpeed `json:"speeds,omitempty"`
}

// A VariantSpeed is how fast one of the networks is.
type VariantSpeed struct {
	Variant
	Speed
}

// A Setting is a line at the top of a report.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Environment is where a study ran.
type Environment struct {
	Version  string `json:"version"` // of eegprune, with the commit where it is known
	Libtorch string `json:"libtorch"`
	CUDA     string `json:"cuda,omitempty"`
	CuDNN    string `json:"cudnn,omitempty"`
	Device   string `json:"device"`
	Host     string `json:"host"`
	CPU      string `json:"cpu"`
	Cores    int    `json:"cores"`
	Jobs     int    `json:"jobs"`
}

// Settings returns the environment as lines at the top of a report.
func (e Environment) Settings() []Setting {
	libtorch := e.Libtorch
	if e.CUDA != "" {
		libtorch += ", CUDA " + e.CUDA
	}
	if e.CuDNN != "" {
		libtorch += ", cuDNN " + e.CuDNN
	}
	return []Setting{
		{Name: "machine", Value: fmt.Sprintf("%s, %s, %d cores; device %s, %d jobs side by side", e.Host, e.CPU, e.Cores, e.Device, e.Jobs)},
		{Name: "versions", Value: fmt.Sprintf("eegprune %s, libtorch %s", e.Version, libtorch)},
	}
}

// JudgedBy is the metric that a study is judged by; results of schema 2 are by accuracy.
func (s *Study) JudgedBy() string {
	if s.Metric == "" {
		return MetricAccuracy
	}
	return s.Metric
}
