"""The tables of the paper on W++ (Li et al. 2021, arXiv 2105.14230), made with networks of ours."""
