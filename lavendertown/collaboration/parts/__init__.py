"""The parts of a storage: reports, findings, annotations, triage, inbox and the others."""
