//go:build race

package main_test

// Tests under the race detector start a program that has it too.
var buildFlags = []string{"-race", "."}
