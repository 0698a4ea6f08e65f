// Command kubernetes-check builds a folder with kustomize, and decodes each of its manifests with
// Kubernetes' own types, strictly: an unknown kind, an unknown field and a value of another type are
// errors. It prints the manifests as YAML.
package main

import (
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(folder string) error {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	options := json.SerializerOptions{Yaml: true, Strict: true}
	serializer := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, options)
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return err
		}
		if _, _, err := serializer.Decode(text, nil, nil); err != nil {
			return fmt.Errorf("%s: %w", resource.CurId(), err)
		}
	}
	all, err := resources.AsYaml()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(all)
	return err
}
