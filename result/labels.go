package result

// Labels are the classes that a study's clips were given, and the rule for them.
type Labels struct {
	// Rule says in words how ratings or several labels of a recording make the class:
	// "valence >= 5". Keys are the labels.
	Rule string   `json:"rule,omitempty"`
	Keys []string `json:"keys,omitempty"`
	// Operator and Threshold say when a rating is high: ">=" or ">", or "drop" where ratings
	// that equal the threshold were left out. Left out where labels are no ratings.
	Operator  string       `json:"operator,omitempty"`
	Threshold *float64     `json:"threshold,omitempty"`
	Classes   []ClassShare `json:"classes"`
}

// A ClassShare says how many clips are of a class.
type ClassShare struct {
	Class string  `json:"class"`
	Clips int     `json:"clips"`
	Share float64 `json:"share"` // of all clips, of 1
}
