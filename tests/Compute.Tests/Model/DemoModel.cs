namespace Concertina.Compute.Tests.Model;

/// <summary>Files of the demo model in the repository.</summary>
internal static class DemoModel
{
    public static string F16 => Find("demo-f16.gguf");

    public static string Q8 => Find("demo-q8_0.gguf");

    /// <summary>The model retrofitted with DMS for a compression ratio of 2 or 4.</summary>
    public static string Dms(int ratio) => Find($"demo-dms{ratio}-q8_0.gguf", "demo-dms");

    public static string Reference => Find(Path.Combine("eval_project", "reference.json"));

    private static string Find(string name, string folder = "demo")
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Concertina.slnx")))
        {
            directory = directory.Parent;
        }
        Assert.NotNull(directory);
        return Path.Combine(directory.FullName, "models", folder, name);
    }
}
