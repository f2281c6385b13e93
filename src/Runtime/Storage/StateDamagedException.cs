namespace Concertina.Runtime.Storage;

/// <summary>A stored state cannot be trusted. Nothing falls back to an older value silently: a person decides.</summary>
public sealed class StateDamagedException : IOException
{
    internal StateDamagedException(StateKey key, string path, string damage, string? intactPreviousPath)
        : base($"State '{key.State}' of {key.Grain} in '{path}' is damaged: {damage}. " + (intactPreviousPath is null
            ? "There is no intact previous version. Restore the file from a backup, or delete it to begin anew."
            : $"The version before is intact in '{intactPreviousPath}': rename it to '{path}' to go on from there."))
    {
        Path = path;
        IntactPreviousPath = intactPreviousPath;
    }

    /// <summary>The damaged file.</summary>
    public string Path { get; }

    /// <summary>The version before, if it is intact.</summary>
    public string? IntactPreviousPath { get; }
}
