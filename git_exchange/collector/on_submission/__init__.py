"""What is run after a submission was collected: with the students' code in it, so shut in, or not at all."""
