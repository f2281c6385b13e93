using Concertina.Compute.Model;
using Concertina.Compute.Profile;
using Concertina.Tokenization;

namespace Concertina.Cli.Evaluation;

/// <summary>A model file with its tokenizer and its KV profile, if it has one.</summary>
internal sealed class EvaluatedModel : IDisposable
{
    private EvaluatedModel(ModelFile file, Tokenizer tokenizer, KvProfile? profile)
    {
        (File, Tokenizer, Profile) = (file, tokenizer, profile);
    }

    public ModelFile File { get; }

    public Tokenizer Tokenizer { get; }

    public KvProfile? Profile { get; }

    /// <summary>Opens a model and the profile named, or else the one beside it.</summary>
    /// <exception cref="CliException">A file is missing or wrong.</exception>
    public static EvaluatedModel Open(string path, string? profilePath)
    {
        ModelFile? file = null;
        try
        {
            file = ModelFile.Open(path);
            var tokenizer = Tokenizer.Create(TokenizerSpec.Parse(file.TokenizerBytes));
            string profile = profilePath ?? KvProfile.PathFor(path);
            bool wanted = profilePath is not null || System.IO.File.Exists(profile);
            return new EvaluatedModel(file, tokenizer, wanted ? KvProfile.Load(profile, file.ContentHash, file.Config.ToKvShape()) : null);
        }
        catch (Exception problem) when (problem is ModelFileException or TokenizerSpecException or KvProfileException or IOException)
        {
            file?.Dispose();
            throw new CliException(ExitCode.Model, problem.Message);
        }
    }

    /// <summary>Opens a model without any profile.</summary>
    /// <exception cref="CliException">The file is missing or wrong.</exception>
    public static EvaluatedModel Bare(string path)
    {
        try
        {
            var file = ModelFile.Open(path);
            return new EvaluatedModel(file, Tokenizer.Create(TokenizerSpec.Parse(file.TokenizerBytes)), null);
        }
        catch (Exception problem) when (problem is ModelFileException or TokenizerSpecException or IOException)
        {
            throw new CliException(ExitCode.Model, problem.Message);
        }
    }

    /// <summary>The same model with another profile; the file stays this one's to close.</summary>
    public EvaluatedModel With(KvProfile profile) => new(File, Tokenizer, profile);

    /// <summary>Tokens of some texts, one after the other.</summary>
    /// <exception cref="CliException">A file cannot be read.</exception>
    public int[] Tokens(IEnumerable<string> files)
    {
        try
        {
            return [.. files.SelectMany(text => Tokenizer.Encode(System.IO.File.ReadAllText(text), addSpecial: false, parseSpecial: false))];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    /// <summary>Windows of a text that do not overlap, each with the model's first token before it if it wants one.</summary>
    /// <param name="tokens">The text.</param>
    /// <param name="length">Tokens of a window.</param>
    /// <param name="most">Most windows.</param>
    public IReadOnlyList<int[]> Windows(ReadOnlySpan<int> tokens, int length, int most)
    {
        List<int[]> windows = [];
        int[] first = Tokenizer.BosId is { } bos ? [bos] : [];
        int step = length - first.Length;
        for (int at = 0; at + step <= tokens.Length && windows.Count < most; at += step)
        {
            windows.Add([.. first, .. tokens.Slice(at, step)]);
        }
        return windows;
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();
}
