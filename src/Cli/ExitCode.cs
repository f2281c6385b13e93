namespace Concertina.Cli;

/// <summary>What the process returns; scripts may rely on it.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The work failed: a server that cannot be reached, a result that cannot be written.</summary>
    public const int Failure = 1;

    /// <summary>The command line or configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The model cannot be loaded.</summary>
    public const int Model = 3;

    /// <summary>The address cannot be listened on.</summary>
    public const int Address = 4;
}
