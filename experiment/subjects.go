package experiment

import (
	"context"
	"maps"
	"slices"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// bySubject tests a network on each subject's clips among rows by themselves.
func (s *Study) bySubject(ctx context.Context, n *models.Network, rows []int) ([]result.SubjectScore, error) {
	bySubject := map[string][]int{}
	for _, r := range rows {
		name := s.Set.Clips[r].Subject
		bySubject[name] = append(bySubject[name], r)
	}
	var scores []result.SubjectScore
	for _, name := range slices.Sorted(maps.Keys(bySubject)) {
		e, err := train.Evaluate(ctx, n, s.data, bySubject[name])
		if err != nil {
			return nil, err
		}
		scores = append(scores, result.SubjectScore{Subject: name, Clips: e.Clips, Confusion: e.Confusion})
	}
	return scores, nil
}
