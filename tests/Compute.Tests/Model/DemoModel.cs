namespace Concertina.Compute.Tests.Model;

/// <summary>Files of the demo model in the repository.</summary>
internal static class DemoModel
{
    public static string F16 => Find("demo-f16.gguf");

    public static string Q8 => Find("demo-q8_0.gguf");

    public static string Reference => Find(Path.Combine("eval_project", "reference.json"));

    private static string Find(string name)
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Concertina.slnx")))
        {
            directory = directory.Parent;
        }
        Assert.NotNull(directory);
        return Path.Combine(directory.FullName, "models", "demo", name);
    }
}
