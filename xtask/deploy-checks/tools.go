//go:build tools

// Package tools names the commands that check what is deployed, so that go.mod and go.sum pin all they need.
package tools

import (
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "github.com/zegl/kube-score/cmd/kube-score"
)
