package op

// windowRules are those of pools and of what makes maps larger: channels pass.
func windowRules() []rule {
	return []rule{{ops: "avg_pool1d avg_pool3d max_pool1d max_pool3d max_pool1d_with_indices max_pool2d_with_indices " +
		"max_pool3d_with_indices adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d " +
		"adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d upsample_nearest1d upsample_nearest2d upsample_nearest3d " +
		"upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d", Op: Op{Tie: overWindows, MACs: func(c *Call) int64 {
		switch c.op.base() { // as fvcore counts
		case "adaptive_avg_pool2d", "_adaptive_avg_pool2d":
			return perClip(c.Shape("self"))
		case "upsample_nearest2d":
			return perClip(c.Out)
		case "upsample_bilinear2d":
			return 4 * perClip(c.Out)
		}
		return 0
	}}}}
}
