//go:build tools

// Package tools names the simulator of vSphere; ../build.py builds it. It has a module of its own since Packer's
// vSphere builder needs an older govmomi.
package tools

import _ "github.com/vmware/govmomi/vcsim"
