package experiment

import (
	"context"
	"maps"
	"slices"

	"eegprune/models"
	"eegprune/result"
	"eegprune/train"
)

// bySubject tests a network on each subject's clips among rows by themselves.
func (s *Study) bySubject(ctx context.Context, n *models.Network, rows []int) ([]result.SubjectScore, error) {
	of := map[string][]int{}
	for _, r := range rows {
		name := s.Set.Clips[r].Subject
		of[name] = append(of[name], r)
	}
	var scores []result.SubjectScore
	for _, name := range slices.Sorted(maps.Keys(of)) {
		e, err := train.Evaluate(ctx, n, s.data, of[name])
		if err != nil {
			return nil, err
		}
		scores = append(scores, result.SubjectScore{Subject: name, Clips: e.Clips, Confusion: e.Confusion})
	}
	return scores, nil
}
