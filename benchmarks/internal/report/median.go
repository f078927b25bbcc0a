package report

import "slices"

// Median is the middle one of values, of which there is at least one. It sorts
// them.
func Median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
