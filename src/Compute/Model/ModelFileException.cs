namespace Concertina.Compute.Model;

/// <summary>A model file cannot be used: damaged, truncated, or of a kind this engine does not run. The message names file, place and values.</summary>
public sealed class ModelFileException : Exception
{
    /// <summary>Makes the exception for a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="problem">What is wrong, with values, and what to do where there is something to do.</param>
    /// <param name="cause">Underlying failure, if any.</param>
    public ModelFileException(string path, string problem, Exception? cause = null)
        : base($"Model file '{path}': {problem}", cause) => Path = path;

    /// <summary>Path of the file.</summary>
    public string Path { get; }
}
