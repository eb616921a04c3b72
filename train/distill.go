package train

import (
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Distill returns the loss of knowledge distillation (Hinton et al., "Distilling the
// Knowledge in a Neural Network", 2015):
//
//	(1-weight) hard + weight T² KL(softmax(teacher/T) || softmax(student/T))
//
// with the divergence's mean over the batch, and hard the loss by the labels. The teacher is run in evaluation mode, and
// must live as long as the loss is used.
func Distill(teacher *models.Network, weight, temperature float64) func(s *torch.Scope, x, logits, hard *torch.Tensor) *torch.Tensor {
	return func(s *torch.Scope, x, logits, hard *torch.Tensor) *torch.Tensor {
		soft := s.MulScalar(evaluated(s, teacher, x), 1/temperature)
		p, logP := s.Softmax(soft, 1), s.LogSoftmax(soft, 1)
		logQ := s.LogSoftmax(s.MulScalar(logits, 1/temperature), 1)
		divergence := s.Mean(s.Sum(s.Mul(p, s.Sub(logP, logQ)), 1))
		return s.Add(s.MulScalar(hard, 1-weight),
			s.MulScalar(divergence, weight*temperature*temperature))
	}
}

// evaluated returns a network's logits without recording how they came about.
func evaluated(s *torch.Scope, n *models.Network, x *torch.Tensor) *torch.Tensor {
	apart := torch.NewScope(torch.NoGrad)
	defer apart.Close()
	logits := n.Forward(apart, x, models.Pass{})
	if err := apart.Err(); err != nil {
		s.Fail(err)
	}
	return s.Clone(logits)
}
