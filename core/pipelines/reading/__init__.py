"""Pipeline files: from YAML text to the records of `core.pipelines.model`, with line and column in every error."""
