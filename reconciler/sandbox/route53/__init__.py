"""Route 53: hosted zones and their records, since moto makes a zone twice and loses what records are weighted by."""
