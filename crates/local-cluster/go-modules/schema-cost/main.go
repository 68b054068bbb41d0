// Command schema-cost prints what the API server estimates of the rules of a CustomResourceDefinition, which it reads from
// standard input: each rule's cost and their sum, as one JSON object. It walks the schema as the API server does when it validates a
// definition (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// Rule is a rule, its place in the schema, and its cost.
type Rule struct {
	Path string `json:"path"`
	Rule string `json:"rule"`
	Cost uint64 `json:"cost"`
}

// Costs are the costs of all rules.
type Costs struct {
	Total     uint64 `json:"total"`
	Limit     uint64 `json:"limit"`
	RuleLimit uint64 `json:"ruleLimit"`
	Rules     []Rule `json:"rules"`
}

func main() {
	costs, err := estimate(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(costs); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func estimate(in io.Reader) (*Costs, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var external v1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &external); err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	var definition apiextensions.CustomResourceDefinition
	if err := scheme.Convert(&external, &definition, nil); err != nil {
		return nil, err
	}
	costs := &Costs{Limit: validation.StaticEstimatedCRDCostLimit, RuleLimit: validation.StaticEstimatedCostLimit, Rules: []Rule{}}
	// a definition of one version has its schema at the top
	schema := definition.Spec.Validation
	if schema == nil && len(definition.Spec.Versions) > 0 {
		schema = definition.Spec.Versions[0].Schema
	}
	if schema == nil || schema.OpenAPIV3Schema == nil {
		return nil, fmt.Errorf("the definition has no schema")
	}
	root := schema.OpenAPIV3Schema
	return costs, costs.add(root, "", validation.RootCELContext(root))
}

// add adds the costs of a schema and of all below it.
func (c *Costs) add(schema *apiextensions.JSONSchemaProps, path string, context *validation.CELSchemaContext) error {
	if len(schema.XValidations) > 0 {
		info, err := context.TypeInfo()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		version := environment.DefaultCompatibilityVersion()
		results, err := cel.Compile(info.Schema, info.DeclType, celconfig.PerCallLimit, environment.MustBaseEnvSet(version), cel.NewExpressionsEnvLoader())
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for i, result := range results {
			if result.Error != nil {
				return fmt.Errorf("%s: %v", path, result.Error)
			}
			cardinality := result.MaxCardinality
			if context.MaxCardinality != nil {
				cardinality = *context.MaxCardinality
			}
			cost := result.MaxCost * cardinality
			c.Rules = append(c.Rules, Rule{Path: path, Rule: schema.XValidations[i].Rule, Cost: cost})
			c.Total += cost
		}
	}
	for name := range schema.Properties {
		property := schema.Properties[name]
		if err := c.add(&property, path+"."+name, context.ChildPropertyContext(&property, name)); err != nil {
			return err
		}
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		if err := c.add(schema.Items.Schema, path+"[]", context.ChildItemsContext(schema.Items.Schema)); err != nil {
			return err
		}
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		values := schema.AdditionalProperties.Schema
		return c.add(values, path+"{}", context.ChildAdditionalPropertiesContext(values))
	}
	return nil
}
