package models

// Exported is what is said of a network that PyTorch exported.
type Exported struct {
	Torch string `json:"torch"` // the version of PyTorch
	// MinClips and MaxClips are how many clips its graph was exported for.
	MinClips int `json:"min_clips"`
	MaxClips int `json:"max_clips"`
	// Trained says that the weights of the file were trained before.
	Trained bool `json:"trained,omitempty"`
}
