using System.CommandLine;
using System.Text;
using Concertina.Compute.Inspection;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Cli.Inspecting;

/// <summary><c>concertina inspect</c>: what a model or a KV profile is, and what its KV cache takes on this machine.</summary>
internal static class InspectCommand
{
    private static readonly byte[] ModelMagic = "GGUF"u8.ToArray();

    public static Command Create()
    {
        Argument<string> file = new("file") { Description = "GGUF model or KV profile." };
        Command command = new("inspect", "Shows a model or a KV profile, its rungs and their bytes.") { file };
        command.SetAction(arguments =>
        {
            (IReadOnlyList<string> lines, int exitCode) = Lines(arguments.GetRequiredValue(file));
            foreach (string line in lines)
            {
                Screen.Line(line);
            }
            return exitCode;
        });
        return command;
    }

    /// <summary>What to say of a file, and what the process returns.</summary>
    /// <exception cref="CliException">It is missing, damaged, or neither a model nor a profile.</exception>
    internal static (IReadOnlyList<string> Lines, int ExitCode) Lines(string path)
    {
        byte[] start = Start(path);
        try
        {
            return start.AsSpan().StartsWith(ModelMagic) ? Model(path)
                : IsProfile(path, start) ? ([.. ProfileReport.Lines(path, KvProfile.Load(path))], ExitCode.Success)
                : throw new CliException(ExitCode.Usage,
                    $"{path} is neither a GGUF model nor a KV profile: it begins with {Shown(start)}. A model begins with \"GGUF\"; a profile's " +
                    $"name ends in {KvProfile.FileSuffix}.");
        }
        catch (Exception problem) when (problem is ModelFileException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Model, problem.Message);
        }
        catch (KvProfileException problem)
        {
            throw new CliException(ExitCode.Model, $"{path} is not intact: {problem.Message}");
        }
    }

    private static (IReadOnlyList<string> Lines, int ExitCode) Model(string path)
    {
        using var model = ModelFile.Open(path);
        string beside = KvProfile.PathFor(path);
        KvProfile? profile = null;
        string said = $"none beside the model ({Path.GetFileName(beside)}); these are the rungs that need none";
        int exitCode = ExitCode.Success;
        if (File.Exists(beside))
        {
            try
            {
                profile = KvProfile.Load(beside, model.ContentHash, model.Config.ToKvShape());
                said = beside;
            }
            catch (KvProfileException problem)
            {
                // The model can be shown all the same, but a server passes over this profile, or refuses to start if it was named.
                (said, exitCode) = ($"cannot be used: {problem.Message}", ExitCode.Model);
            }
        }
        int[] lengths = [.. ModelReport.Lengths.Select(length => Math.Min(length, model.Config.ContextLength)).Distinct()];
        var report = new ModelReport(model, said, CacheInspection.Of(model, profile, lengths));
        return ([.. report.Lines()], exitCode);
    }

    // A safetensors file has a header length of 64 bits and then a JSON object.
    private static bool IsProfile(string path, byte[] start) =>
        path.EndsWith(KvProfile.FileSuffix, StringComparison.Ordinal) || (start.Length > 8 && start[8] == (byte)'{');

    private static byte[] Start(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] start = new byte[9];
            return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
    }

    private static string Shown(byte[] start) => start.Length == 0
        ? "nothing, for it is empty"
        : $"\"{string.Concat(Encoding.Latin1.GetString(start).Select(sign => char.IsAsciiLetterOrDigit(sign) || char.IsPunctuation(sign) || sign == ' ' ? sign : '.'))}\"";
}
