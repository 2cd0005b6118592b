"""Reports: pages made from the marts, drawn by a Node program (renderer/)."""
