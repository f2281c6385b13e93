namespace Concertina.Silo.Options;

/// <summary>The model a silo serves.</summary>
public sealed record ModelOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "Model";

    /// <summary>GGUF file. Default, empty: the demo model beside the program or in the checkout.</summary>
    public string Path { get; init; } = "";

    /// <summary>Name clients use. Default, empty: the file's name up to the first '-' or '.'.</summary>
    public string Name { get; init; } = "";

    /// <summary>The name clients use.</summary>
    public string ServedName
    {
        get
        {
            if (Name.Length > 0)
            {
                return Name;
            }
            string file = global::System.IO.Path.GetFileNameWithoutExtension(Path);
            int end = file.AsSpan().IndexOfAny('-', '.');
            return end > 0 ? file[..end] : file;
        }
    }
}
