"""What is predicted: the threshold p* and the exact high-dimensional accuracy of trained classifiers."""
