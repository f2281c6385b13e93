using System.ComponentModel.DataAnnotations;
using Concertina.Compute.Bench;
using Concertina.Compute.Model;
using Concertina.Compute.Model.Weights;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Benches;

/// <summary>What a benchmark of the forward pass runs on, and its settings, checked.</summary>
internal static class BenchedModel
{
    /// <summary>Seed of random weights.</summary>
    public const int Seed = 1;

    /// <summary>Opens a model, or makes one of a shape with random weights.</summary>
    /// <exception cref="CliException">None or both are named, or the one that is named cannot be had.</exception>
    public static ModelSource Open(string? model, string? shape)
    {
        if (model is null == shape is null)
        {
            throw new CliException(ExitCode.Usage, "Name either --model FILE.gguf or --shape.");
        }
        try
        {
            return model is null ? RandomModel.Create(shape!, TensorType.Q80, Seed) : ModelFile.Open(model);
        }
        catch (ModelFileException problem)
        {
            throw new CliException(ExitCode.Model, problem.Message);
        }
        catch (ArgumentException problem)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    /// <summary>The profile named, or else the one beside the model; null when there is none.</summary>
    /// <param name="source">What <see cref="Open"/> gave.</param>
    /// <param name="model">Path of the model; null for a shape.</param>
    /// <param name="profile">Path of the profile; null: the one beside the model.</param>
    /// <exception cref="CliException">The profile cannot be read or belongs to another model.</exception>
    public static KvProfile? Profile(ModelSource source, string? model, string? profile)
    {
        if (source is not ModelFile file)
        {
            return profile is null ? null : throw new CliException(ExitCode.Usage, "--profile needs --model.");
        }
        string path = profile ?? KvProfile.PathFor(model!);
        try
        {
            return profile is null && !File.Exists(path) ? null : KvProfile.Load(path, file.ContentHash, file.Config.ToKvShape());
        }
        catch (Exception problem) when (problem is KvProfileException or IOException)
        {
            throw new CliException(ExitCode.Model, problem.Message);
        }
    }

    /// <summary>The settings, when every one is in its range.</summary>
    /// <exception cref="CliException">One is not.</exception>
    public static BenchmarkSettings Checked(BenchmarkSettings settings)
    {
        List<ValidationResult> problems = [];
        return Validator.TryValidateObject(settings, new ValidationContext(settings), problems, validateAllProperties: true)
            ? settings
            : throw new CliException(ExitCode.Usage, string.Join('\n', problems));
    }
}
