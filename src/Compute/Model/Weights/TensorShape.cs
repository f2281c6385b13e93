namespace Concertina.Compute.Model.Weights;

/// <summary>Name and shape of a tensor a model needs.</summary>
/// <param name="Name">Name in the model file.</param>
/// <param name="Rows">Output rows; 1 for a vector.</param>
/// <param name="Columns">Elements of a row.</param>
internal readonly record struct TensorShape(string Name, int Rows, int Columns);
