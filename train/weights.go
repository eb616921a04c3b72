package train

import "github.com/eegprune/eegprune/torch"

// BalancedWeights returns for each class the weight that gives all classes the same share
// of the loss over rows, clips / (classes * clips of the class), as scikit-learn's
// compute_class_weight("balanced") does. labels are the classes of all rows; classes that
// rows do not have weigh nothing.
func BalancedWeights(labels []int64, rows []int, classes int) []float64 {
	counts := make([]int, classes)
	present := 0
	for _, r := range rows {
		if counts[labels[r]]++; counts[labels[r]] == 1 {
			present++
		}
	}
	weights := make([]float64, classes)
	for c, n := range counts {
		if n > 0 {
			weights[c] = float64(len(rows)) / float64(present*n)
		}
	}
	return weights
}

// classWeights puts weights on a device as a diagonal matrix, whose rows are weighted
// one-hot classes; it is nil where there are none.
func classWeights(weights []float64, device torch.Device) (*torch.Tensor, error) {
	if weights == nil {
		return nil, nil
	}
	n := len(weights)
	diagonal := make([]float32, n*n)
	for c, w := range weights {
		diagonal[c*n+c] = float32(w)
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	x, err := torch.Wrap(diagonal, n, n)
	if err != nil {
		return nil, err
	}
	defer x.Free()
	return s.Keep(s.Clone(s.To(x, torch.Float32, device)))
}

// crossEntropy is the loss of logits [clips, classes] by the classes y [clips]: the mean
// over the clips, weighted where the training weighs classes.
func (t *trainer) crossEntropy(s *torch.Scope, logits, y *torch.Tensor) *torch.Tensor {
	if t.weights == nil {
		return s.CrossEntropy(logits, y)
	}
	weights := s.IndexSelect(t.weights, 0, y)
	return s.MulScalar(s.Div(s.Sum(s.Mul(s.LogSoftmax(logits, 1), weights)), s.Sum(weights)), -1)
}
