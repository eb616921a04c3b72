package transform

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/data/montage"
)

// ToInterpolatedGrid puts electrodes in their places on a 9x9 grid and fills the
// places between them by piecewise cubic interpolation (Clough & Tocher's
// triangles with the gradients of least curvature: Alfeld, J Comput Appl Math
// 1985, 12:1, and Nielson, Math Comput 1983, 40:253), zero outside their hull:
// [electrodes, n] to [n, 9, 9]. scipy's griddata, which torcheeg uses, stops its
// search for the gradients at a relative change of 1e-6; here they are exact.
type ToInterpolatedGrid struct {
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *ToInterpolatedGrid) Name() string { return "ToInterpolatedGrid" }

// Prepare implements [Transform]. Electrodes without a place on the grid are
// an error that names them.
func (t *ToInterpolatedGrid) Prepare(in Form, _ *Form) (Step, error) {
	if len(in.Shape) != 2 || len(in.Electrodes) != in.Shape[0] {
		return Step{}, fmt.Errorf("it takes [electrodes, n] and is given %s", in)
	}
	cells, without, err := in.gridCells()
	if err != nil {
		return Step{}, err
	}
	electrodes, notes := in.placed(cells, without)
	var points []point
	var rows []int // of the electrodes that have a place
	for i, c := range cells {
		if c >= 0 {
			points, rows = append(points, point{float64(c / montage.GridSize), float64(c % montage.GridSize)}), append(rows, i)
		}
	}
	triangles := qhullTriangles(electrodes)
	if triangles == nil {
		triangles = delaunay(points)
	}
	if len(triangles) == 0 {
		return Step{}, fmt.Errorf("it needs three electrodes or more that don't lie on one line, and is given %d", len(points))
	}
	weights := gridWeights(points, triangles)
	n := in.Shape[1]
	const area = montage.GridSize * montage.GridSize
	return Step{
		Out:        Form{Shape: []int{n, montage.GridSize, montage.GridSize}, Bands: in.Bands},
		OnBaseline: t.ApplyToBaseline,
		Electrodes: electrodes,
		Notes:      notes,
		Apply: func(x, _ *Array) *Array {
			out := NewArray(n, montage.GridSize, montage.GridSize)
			for cell, row := range weights {
				for e, w := range row {
					for i := range n {
						out.Data[i*area+cell] += w * x.Data[rows[e]*n+i]
					}
				}
			}
			return out
		},
	}, nil
}

// A point is a place on the grid.
type point struct{ x, y float64 }

func (p point) minus(q point) point   { return point{p.x - q.x, p.y - q.y} }
func (p point) dot(q point) float64   { return p.x*q.x + p.y*q.y }
func (p point) cross(q point) float64 { return p.x*q.y - p.y*q.x }

// gridWeights returns, for each place of the grid, the share of each electrode
// in its value: the interpolation is linear in the values.
func gridWeights(points []point, triangles [][3]int) [][]float64 {
	weights := make([][]float64, montage.GridSize*montage.GridSize)
	for cell := range weights {
		weights[cell] = make([]float64, len(points))
	}
	surface := newSurface(points, triangles)
	for e := range points {
		values := make([]float64, len(points))
		values[e] = 1
		gradients := surface.gradients(values)
		for cell := range weights {
			weights[cell][e] = surface.at(point{float64(cell / montage.GridSize), float64(cell % montage.GridSize)}, values, gradients)
		}
	}
	return weights
}

// A surface is a triangulation with its neighbours.
type surface struct {
	points    []point
	triangles [][3]int
	neighbour [][3]int // opposite each corner; -1 on the hull
	edges     [][]int  // the points joined to each
}

func newSurface(points []point, triangles [][3]int) *surface {
	s := &surface{points: points, triangles: triangles, edges: make([][]int, len(points))}
	opposite := map[[2]int][]int{}
	side := func(t [3]int, k int) [2]int {
		a, b := t[(k+1)%3], t[(k+2)%3]
		return [2]int{min(a, b), max(a, b)}
	}
	for i, t := range triangles {
		for k := range 3 {
			opposite[side(t, k)] = append(opposite[side(t, k)], i)
		}
	}
	for i, t := range triangles {
		var n [3]int
		for k := range 3 {
			n[k] = -1
			pair := side(t, k)
			for _, j := range opposite[pair] {
				if j != i {
					n[k] = j
				}
			}
			if opposite[pair][0] == i { // each edge once
				s.edges[pair[0]] = append(s.edges[pair[0]], pair[1])
				s.edges[pair[1]] = append(s.edges[pair[1]], pair[0])
			}
		}
		s.neighbour = append(s.neighbour, n)
	}
	return s
}

// gradients returns the slopes at the points with which the cubics along the
// edges are least curved, by relaxing one point after another.
func (s *surface) gradients(values []float64) []point {
	g := make([]point, len(s.points))
	for range 10000 {
		change := 0.0
		for i := range g {
			var xx, xy, yy, sx, sy float64
			for _, j := range s.edges[i] {
				e := s.points[j].minus(s.points[i])
				cube := math.Pow(e.dot(e), 1.5)
				slope := -e.dot(g[j])
				xx += 4 * e.x * e.x / cube
				xy += 4 * e.x * e.y / cube
				yy += 4 * e.y * e.y / cube
				r := (6*(values[i]-values[j]) - 2*slope) / cube
				sx += r * e.x
				sy += r * e.y
			}
			det := xx*yy - xy*xy
			next := point{-(yy*sx - xy*sy) / det, -(xx*sy - xy*sx) / det}
			change = max(change, math.Abs(next.x-g[i].x), math.Abs(next.y-g[i].y))
			g[i] = next
		}
		if change < 1e-14 {
			break
		}
	}
	return g
}

// barycentric returns the coordinates of p in a triangle.
func (s *surface) barycentric(t [3]int, p point) [3]float64 {
	a, b, c := s.points[t[0]], s.points[t[1]], s.points[t[2]]
	whole := b.minus(a).cross(c.minus(a))
	u := b.minus(p).cross(c.minus(p)) / whole
	v := c.minus(p).cross(a.minus(p)) / whole
	return [3]float64{u, v, 1 - u - v}
}

// at returns the surface's value at a place, zero outside the hull.
func (s *surface) at(p point, values []float64, gradients []point) float64 {
	const rounding = 1e-12
	for i, t := range s.triangles {
		b := s.barycentric(t, p)
		if min(b[0], b[1], b[2]) >= -rounding {
			return s.cloughTocher(i, b, values, gradients)
		}
	}
	return 0
}
