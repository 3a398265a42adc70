package main

import "github.com/postern/postern/config"

type schemaCommand struct{}

// Help is printed below the summary.
func (schemaCommand) Help() string {
	return `Editors complete and check a configuration by it, with what every key means. With the YAML language server (VS Code, Neovim,
IntelliJ and others), keep the schema in a file and name it in the first line of the configuration:

    postern schema >postern.schema.json

    # yaml-language-server: $schema=postern.schema.json

What only Postern can judge (paths, expressions, tables) is left to postern check.`
}

func (schemaCommand) Run(m *Main) error {
	text, err := config.JSONSchema()
	if err != nil {
		return err
	}
	_, err = m.Stdout.Write(text)
	return err
}
