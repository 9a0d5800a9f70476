//go:build tools

// Package tools names the programs that the tests need; build.py builds them.
package tools

import (
	_ "github.com/hashicorp/packer"
	_ "github.com/hashicorp/packer-plugin-ansible"
	_ "github.com/hashicorp/packer-plugin-qemu"
)
