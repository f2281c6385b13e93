namespace Concertina.Cli.Evaluation;

/// <summary>A command line fit for a result file: paths outside of the working folder are shortened to their names.</summary>
internal static class CommandLineText
{
    /// <summary>The arguments behind the program's own name.</summary>
    public static string Of(IReadOnlyList<string> arguments) =>
        "concertina " + string.Join(' ', arguments.Skip(1).Select(argument => Path.IsPathRooted(argument) ? Path.GetFileName(argument) : argument));
}
