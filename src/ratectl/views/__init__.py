"""What a person looks at: status, history, charts and the report page. Values in, text out; pure."""
